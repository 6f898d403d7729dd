"""The declarations of files by their format: CSV, Parquet, JSON and Excel, in a folder or at https addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.arrow_rules import ARROW_RULES
from b2b_recs.engine.sources.contract import Dialer, ParametersModel, Source
from b2b_recs.engine.sources.fields import Certificate, SourceParameters
from b2b_recs.engine.sources.files.declaring import FilesType
from b2b_recs.engine.sources.files.locations import Location, Signature, is_address
from b2b_recs.engine.sources.files.options import CsvOptions, ExcelOptions, JsonOptions, ParquetOptions
from b2b_recs.engine.sources.form_help import FILES_LOADED, FormHelp
from b2b_recs.engine.sources.rules import TypeRule

_FOLDER_WORDS = (
    "A folder that the operator allowed (B2B_RECS_FILE_FOLDERS), such as orders or /srv/files/orders; or the https "
    "addresses of files, separated by blanks."
)
_GRANTS = (
    "setfacl --recursive --modify user:b2b-recs:rX,default:user:b2b-recs:rX /srv/files\n"
    "# and in the environment of the installation:\n"
    "B2B_RECS_FILE_FOLDERS=/srv/files    # several: /srv/files:/mnt/exports; unset: files in the home folder"
)


class Place(SourceParameters):
    """Where the files are."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="Let files be read",
        grants="The operator runs this on the machine of this installation. Nothing here ever writes to the files.",
        reach="A folder lies on the machine of this installation. For https addresses, this installation must reach "
        "their host, usually on port 443.",
        notes=("Files are read only; nothing is changed, moved or deleted.", FILES_LOADED),
    )

    location: Location = Field(title="Folder or address", description=_FOLDER_WORDS, max_length=20_000)
    signature: Signature = Field(
        default=SecretStr(""),
        title="Signed part of the address",
        description="What follows the ? of an https address that opens with a key or signature only, such as "
        "sig=… or token=…. It is added to every address given here, and to no other.",
        max_length=10_000,
        validate_default=True,
    )
    ca_certificate: Certificate = Field(
        default="",
        title="CA certificate",
        description="PEM text of the authority that signed the certificate of an https address. "
        "Left empty, the system's authorities are used.",
        max_length=100_000,
        json_schema_extra={"format": "textarea"},
    )

    @field_validator("signature")
    @classmethod
    def _of_an_address(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        location = info.data.get("location")
        if value.get_secret_value() and location is not None and not is_address(location):
            raise ValueError("belongs to an https address, not to a folder")
        return value


class CsvParameters(CsvOptions, Place):
    """Where CSV files are, and how they are written."""


class ParquetParameters(ParquetOptions, Place):
    """Where Parquet files are."""


class JsonParameters(JsonOptions, Place):
    """Where JSON files are, and how they are laid out."""


class ExcelParameters(ExcelOptions, Place):
    """Where workbooks are, and how their sheets are laid out."""


class _PlacedType(FilesType):
    """What the declarations share: files in a folder of this machine or behind https addresses."""

    secret_fields: ClassVar[tuple[str, ...]] = ("signature",)
    place_field: ClassVar[str] = "location"
    grants: ClassVar[str] = _GRANTS

    def open(self, parameters: Any, dial: Dialer) -> Source:
        """The place; nothing is read yet. Raises AddressForbidden for a folder that is not allowed."""
        if not isinstance(parameters, self.Parameters) or not isinstance(parameters, Place):
            raise TypeError(f"parameters must be {self.Parameters.__name__}")
        from b2b_recs.engine.sources.files.source import FileSource

        if is_address(parameters.location):
            from b2b_recs.engine.sources.files.https_store import HttpsStore

            certificate, signature = parameters.ca_certificate, parameters.signature.get_secret_value()
            return FileSource(HttpsStore(parameters.location, dial, certificate, signature), parameters)
        from b2b_recs.engine.sources.files.local_store import LocalStore

        return FileSource(LocalStore(parameters.location, dial), parameters)


class Csv(_PlacedType):
    """The declaration of CSV and other text with delimiters."""

    type: ClassVar[str] = "csv"
    name: ClassVar[str] = "CSV"
    Parameters: ClassVar[ParametersModel] = CsvParameters
    verified_against: ClassVar[str] = "files in folders and behind an https server, written by Python and by hand"
    rules: ClassVar[Mapping[str, TypeRule]] = {
        "text": TypeRule(
            WarehouseType.STRING, "CSV knows nothing but text; its values are looked into.", family="text",
            rejected="lines with too many or too few values, and bytes that are not text",
        )
    }  # fmt: skip


class Parquet(_PlacedType):
    """The declaration of Parquet."""

    type: ClassVar[str] = "parquet"
    name: ClassVar[str] = "Parquet"
    Parameters: ClassVar[ParametersModel] = ParquetParameters
    verified_against: ClassVar[str] = "files in folders and behind an https server, written by Apache Arrow"
    rules: ClassVar[Mapping[str, TypeRule]] = ARROW_RULES


class Json(_PlacedType):
    """The declaration of JSON arrays and JSON lines."""

    type: ClassVar[str] = "json"
    name: ClassVar[str] = "JSON"
    Parameters: ClassVar[ParametersModel] = JsonParameters
    verified_against: ClassVar[str] = "files in folders, written by Python and by hand"
    rules: ClassVar[Mapping[str, TypeRule]] = {
        "whole number": ARROW_RULES["int64"],
        "decimal number": ARROW_RULES["decimal"],
        "number": TypeRule(WarehouseType.FLOAT64, "Numbers with an exponent, or as programs print binary fractions."),
        "boolean": ARROW_RULES["bool"],
        "text": TypeRule(
            WarehouseType.STRING, "Text, or values of several kinds.", family="text",
            rejected="records that are no object",
        ),
        "object or list": TypeRule(WarehouseType.JSON, "What is nested stays JSON, character by character."),
        "nothing": ARROW_RULES["null"],
    }  # fmt: skip


class Excel(_PlacedType):
    """The declaration of Excel workbooks."""

    type: ClassVar[str] = "excel"
    name: ClassVar[str] = "Excel"
    Parameters: ClassVar[ParametersModel] = ExcelParameters
    extra: ClassVar[str] = "excel"
    driver: ClassVar[str] = "fastexcel"
    verified_against: ClassVar[str] = "workbooks in folders, written by openpyxl"
    rules: ClassVar[Mapping[str, TypeRule]] = {
        "whole number": TypeRule(WarehouseType.INT64, "Every number of the column is whole."),
        "number": ARROW_RULES["double"],
        "yes or no": ARROW_RULES["bool"],
        "date": TypeRule(WarehouseType.DATE, "No value of the column has a time of day."),
        "date and time": TypeRule(WarehouseType.DATETIME, "Date and time, to the millisecond."),
        "time": TypeRule(WarehouseType.TIME, "No value of the column has a day."),
        "duration": ARROW_RULES["duration"],
        "text": TypeRule(
            WarehouseType.STRING, "Text, or cells of several kinds as Excel shows them.", family="text",
            rejected="rows in which any cell holds an error, or one that is read a formula that was never calculated",
        ),
        "nothing": ARROW_RULES["null"],
    }  # fmt: skip
