"""Columns about a file's signature -> code_signature.exists, valid, trusted, status and subject_name."""

from __future__ import annotations

# fmt: off
#                 exists  valid
_STATUS: dict[str, tuple[bool | None, bool | None]] = {
    "valid":      (True,  True),
    "signed":     (True,  None),
    "invalid":    (True,  False),
    "untrusted":  (True,  False),
    "expired":    (True,  False),
    "revoked":    (True,  False),
    "unsigned":   (False, None),
    "unknown":    (None,  None),
}
# fmt: on


def process_signature(status: str | None) -> tuple[bool | None, bool | None, bool | None, str | None]:
    """InitiatingProcessSignatureStatus -> (exists, valid, trusted, status) of that process' code_signature.

    Values seen: Valid, Unsigned, Invalid, Unknown, Signed. `status` is Defender's word as sent (ECS: "additional
    information about the certificate status"). Valid means the sensor verified the chain, so it is trusted too;
    Invalid is not; of an unsigned file nothing is valid or trusted. SignerType (`OsVendor`) names a kind of signer
    and no subject: it stays a vendor field.
    """
    if not status:
        return None, None, None, None
    exists, valid = _STATUS.get(status.lower(), (None, None))
    return exists, valid, valid, status


def file_signature(
    is_signed: bool | None,  # noqa: FBT001  columns come by position
    is_trusted: bool | None,  # noqa: FBT001  as above
    signer: str | None,
) -> tuple[bool | None, bool | None, bool | None, str | None]:
    """IsSigned, IsTrusted and Signer of DeviceFileCertificateInfo -> (exists, valid, trusted, subject_name).

    Microsoft: IsTrusted is "whether the file is trusted based on the results of the WinVerifyTrust function, which
    checks for unknown root certificate information, invalid signatures, revoked certificates, and other questionable
    attributes". So trusted implies valid; the other way round nothing is known. A row without IsSigned that names a
    signer or is trusted is signed.
    """
    exists = is_signed
    if exists is None and (is_trusted or signer):
        exists = True
    valid = True if is_trusted else None
    return exists, valid, is_trusted, signer or None
