"""The declaration of SFTP."""

from __future__ import annotations

from typing import Any, ClassVar

from b2b_recs.engine.sources.contract import Dialer, ParametersModel, Source
from b2b_recs.engine.sources.files.declaring import FilesType
from b2b_recs.engine.sources.sftp.parameters import SftpParameters


class Sftp(FilesType):
    """Files on an SFTP server, whose format the connection says."""

    type: ClassVar[str] = "sftp"
    name: ClassVar[str] = "SFTP"
    Parameters: ClassVar[ParametersModel] = SftpParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("password", "private_key", "private_key_passphrase")
    verified_against: ClassVar[str] = "the SFTP server of asyncssh 2.24, over SSH"
    extra: ClassVar[str] = "sftp"
    driver: ClassVar[str] = "asyncssh"
    grants: ClassVar[str] = """# sshd_config: a login that may only read files, and nothing else
Match User reader
    ChrootDirectory /srv/exports
    ForceCommand internal-sftp -R
    AllowTcpForwarding no
    X11Forwarding no
    PermitTTY no"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """The folder; the server is first asked when something is asked of it."""
        if not isinstance(parameters, SftpParameters):
            raise TypeError("parameters must be SftpParameters")
        from b2b_recs.engine.sources.files.source import FileSource
        from b2b_recs.engine.sources.sftp.store import SftpStore

        return FileSource(SftpStore(parameters, dial), parameters)
