"""The declaration of SFTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Capabilities, ColumnInfo, Dialer, ParametersModel, SourceType
from b2b_recs.engine.sources.files.proposal import propose_files
from b2b_recs.engine.sources.files.source import FILE_CAPABILITIES, FileSource
from b2b_recs.engine.sources.sftp.parameters import SftpParameters
from b2b_recs.engine.sources.sftp.session import DRIVER, EXTRA
from b2b_recs.engine.sources.sftp.store import SftpStore


class Sftp(SourceType):
    """Files on an SFTP server, whose format the connection says."""

    type: ClassVar[str] = "sftp"
    name: ClassVar[str] = "SFTP"
    category: ClassVar[str] = "files"
    Parameters: ClassVar[ParametersModel] = SftpParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("password", "private_key", "private_key_passphrase")
    capabilities: ClassVar[Capabilities] = FILE_CAPABILITIES
    verified_against: ClassVar[str] = "the SFTP server of asyncssh 2.24, over SSH"
    extra: ClassVar[str] = EXTRA
    driver: ClassVar[str] = DRIVER
    grants: ClassVar[str] = """# sshd_config: a login that may only read files, and nothing else
Match User reader
    ChrootDirectory /srv/exports
    ForceCommand internal-sftp -R
    AllowTcpForwarding no
    X11Forwarding no
    PermitTTY no"""

    def open(self, parameters: Any, dial: Dialer) -> FileSource:
        """The folder; the server is first asked when something is asked of it."""
        if not isinstance(parameters, SftpParameters):
            raise TypeError("parameters must be SftpParameters")
        return FileSource(SftpStore(parameters, dial), parameters)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column, as the format of the files says or their values show."""
        return propose_files(columns, samples)
