"""The declarations of the object stores."""

from __future__ import annotations

from typing import Any, ClassVar

from b2b_recs.engine.sources.contract import Dialer, ParametersModel, Source
from b2b_recs.engine.sources.files.declaring import FilesType
from b2b_recs.engine.sources.object_stores.parameters import AzureBlobParameters, GcsParameters, S3Parameters


class AmazonS3(FilesType):
    """The declaration of Amazon S3 and the stores that speak its protocol."""

    type: ClassVar[str] = "s3"
    name: ClassVar[str] = "Amazon S3"
    Parameters: ClassVar[ParametersModel] = S3Parameters
    secret_fields: ClassVar[tuple[str, ...]] = ("secret_access_key", "session_token")
    verified_against: ClassVar[str] = (
        "moto 5 over its HTTP interface, with signatures checked; Amazon's published signature examples"
    )
    grants: ClassVar[str] = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::BUCKET"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}
  ]
}"""

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """The bucket; nothing is asked of it yet."""
        if not isinstance(parameters, S3Parameters):
            raise TypeError("parameters must be S3Parameters")
        from b2b_recs.engine.sources.files.source import FileSource
        from b2b_recs.engine.sources.object_stores.s3 import S3Store

        return FileSource(S3Store(parameters, dial), parameters)


class GoogleCloudStorage(FilesType):
    """The declaration of Google Cloud Storage."""

    type: ClassVar[str] = "gcs"
    name: ClassVar[str] = "Google Cloud Storage"
    Parameters: ClassVar[ParametersModel] = GcsParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("service_account",)
    verified_against: ClassVar[str] = (
        "gcp-storage-emulator over its HTTP interface, which checks no keys and refuses no changed generation; "
        "the signed token against its public key, conditions and pages against a double"
    )
    grants: ClassVar[str] = (
        "gcloud storage buckets add-iam-policy-binding gs://BUCKET "
        "--member=serviceAccount:READER@PROJECT.iam.gserviceaccount.com --role=roles/storage.objectViewer"
    )

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """The bucket; nothing is asked of it yet."""
        if not isinstance(parameters, GcsParameters):
            raise TypeError("parameters must be GcsParameters")
        from b2b_recs.engine.sources.files.source import FileSource
        from b2b_recs.engine.sources.object_stores.gcs import GcsStore

        return FileSource(GcsStore(parameters, dial), parameters)


class AzureBlob(FilesType):
    """The declaration of Azure Blob Storage."""

    type: ClassVar[str] = "azure_blob"
    name: ClassVar[str] = "Azure Blob Storage"
    Parameters: ClassVar[ParametersModel] = AzureBlobParameters
    secret_fields: ClassVar[tuple[str, ...]] = ("account_key", "sas_token")
    verified_against: ClassVar[str] = "Azurite 3, which checks keys and signatures"
    grants: ClassVar[str] = (
        "az storage container generate-sas --account-name ACCOUNT --name CONTAINER "
        "--permissions rl --https-only --expiry 2027-12-31T00:00Z"
    )

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """The container; nothing is asked of it yet."""
        if not isinstance(parameters, AzureBlobParameters):
            raise TypeError("parameters must be AzureBlobParameters")
        from b2b_recs.engine.sources.files.source import FileSource
        from b2b_recs.engine.sources.object_stores.azure_blob import AzureBlobStore

        return FileSource(AzureBlobStore(parameters, dial), parameters)
