"""Files on an SFTP server."""

from b2b_recs.engine.sources.sftp.declaration import Sftp

__all__ = ["Sftp"]
