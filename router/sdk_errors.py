"""Describes exceptions of the AWS SDK in one line, without their text unless it can hold no secret."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from traceback import walk_tb

from router.problems import printable

MESSAGE_LENGTH = 300

HARMLESS = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "InfiniteLoopConfigError",
        "InvalidDefaultsMode",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "InvalidRetryConfigurationError",
        "InvalidRetryModeError",
        "LoginRefreshRequired",
        "NoAuthTokenError",
        "NoCredentialsError",
        "NoRegionError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "RefreshWithMFAUnsupportedError",
        "UnauthorizedSSOTokenError",
        "UnknownCredentialError",
        "UnknownEndpointError",
        "UnusableCredentials",
    }
)
"""Exceptions whose text names files, profiles, regions, variables or addresses only (botocore.exceptions, the formats).
"""

SIGNATURE_CODES = frozenset(
    {
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)
"""Errors whose message may quote the request, the session token included."""

_TIME_REFUSED = re.compile(r"Signature (?:expired|not yet current): [\w :.()+-]*")
_TIME_CODES = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})

_SDK = ("/botocore/", "/boto3/", "/urllib3/", "/http/client.py")
"""Parts of the paths of the modules through which the credentials pass."""

WITHHELD = "its text is not shown, because it may contain credentials"
WRONG_KEY = "the signature is wrong: check that secret key and key id belong together, and that no proxy changes calls"
TLS_REMEDY = (
    "AWS_CA_BUNDLE, or ca_bundle in the AWS profile, must name a readable file that contains the certificate of the CA"
)
OTHER_TLS_REMEDIES = {
    "hostname": "the address must have a name that the certificate has: check AWS_ENDPOINT_URL_CONNECT",
    "mismatch": "the address must have a name that the certificate has: check AWS_ENDPOINT_URL_CONNECT",
    "subjectaltname": "the address must have a name that the certificate has: check AWS_ENDPOINT_URL_CONNECT",
    "expired": "check the clock of this machine, then renew the certificate",
    "yet": "check the clock of this machine",
    "wrong_version_number": "no TLS is spoken there: check https:// in AWS_ENDPOINT_URL_CONNECT and HTTPS_PROXY",
}
"""Remedies of TLS errors that are not about the CA, by words of OpenSSL."""
INVALID_ENDPOINT = "Invalid endpoint: "
"""How botocore begins the message about an endpoint that is no URL."""
ENDPOINT_REMEDY = (
    "AWS_ENDPOINT_URL_CONNECT, AWS_ENDPOINT_URL_SNS or endpoint_url in the AWS profile must be like https://host:port"
)
_URL = re.compile(r"([A-Za-z][\w+.-]*://)([^@/?#\s]*@)?([\w.:\[\]-]+)(/[^@?#\s]*)?([?#\s][^@]*)?", re.DOTALL)
TUNNEL = re.compile(r"Tunnel\sconnection\sfailed:\s(\d{3})")
"""What Python's HTTP client reports of a proxy that refuses to connect."""


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """Returns the text with control characters escaped, cut to ``limit`` characters with ``…``."""
    escaped = printable(text[: limit + 1])
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"


def plain_url(url: str) -> str:
    """Returns an address without the parts that may be secret: ``***`` for a user, and nothing after the path.

    Returns ``***`` for a text that is no URL, or in which a user name may be anywhere.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return "***"
    scheme, user, host, path, _ = found.groups(default="")
    return f"{scheme}{'***@' if user else ''}{host}{path}"


def with_plain_urls(text: str) -> str:
    """Returns the text with each of its URLs as ``plain_url`` shows it."""
    quoted = re.sub(r'"(\w+:.*)"', lambda found: f'"{plain_url(found[1])}"', text, flags=re.DOTALL)
    return re.sub(r'(?<!")\b\w+://[^\s"]+', lambda found: plain_url(found[0]), quoted)


def refused_time(code: str, message: str) -> str | None:
    """Returns AWS's words about the time of a refused signature; ``None`` if the time was not the reason."""
    found = _TIME_REFUSED.match(message)
    if found is not None:
        return one_line(found.group())
    return "the time of the request is too far from AWS's" if code in _TIME_CODES else None


def message_of_aws(code: str, message: str) -> str:
    """Returns the message of an error that AWS answered, in one line, without a quotation of the request."""
    if code not in SIGNATURE_CODES:
        return one_line(message)
    return refused_time(code, message) or WRONG_KEY


def describe_error(error: BaseException) -> str:
    """Returns one line about an exception of the SDK or of a library under it.

    The text of the exception is in it only if its class is one of ``HARMLESS``. A TLS error has its reason in it.
    """
    name = type(error).__name__
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        told = response.get("Error") or {}
        code = str(told.get("Code") or name)
        return one_line(f"{code}: {message_of_aws(code, str(told.get('Message') or ''))}")
    if _is_of_sdk(error) and name in HARMLESS:
        return one_line("; ".join([with_plain_urls(str(error)), *_refusal_of_proxy(error)]))
    if isinstance(error, ValueError) and str(error).startswith(INVALID_ENDPOINT):
        return one_line(f"{INVALID_ENDPOINT}{plain_url(str(error).removeprefix(INVALID_ENDPOINT))}; {ENDPOINT_REMEDY}")
    if isinstance(error, OSError) and error.strerror and not _is_of_sdk(error):
        return one_line(f"{error.filename or name}: {error.strerror}")
    reason = _tls_reason(error) if name in ("HTTPClientError", "SSLError") else None
    if reason is not None:
        fitting = (remedy for words, remedy in OTHER_TLS_REMEDIES.items() if words in reason.lower())
        return one_line(f"{reason}; {next(fitting, TLS_REMEDY)}")
    provider = getattr(error, "kwargs", {}).get("provider")
    return f"{name}{f' from {one_line(str(provider), 60)}' if provider else ''}: {WITHHELD}"


def may_quote_credentials(error: BaseException) -> bool:
    """Returns whether an exception came through the SDK, so that its text must not be shown as it is."""
    return any(_is_of_sdk(one) or _passed_sdk(one) for one in _chain(error))


def _passed_sdk(error: BaseException) -> bool:
    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    return any(part in file for file in files for part in _SDK)


def _is_of_sdk(error: BaseException) -> bool:
    return any(type_.__module__.startswith(("botocore.", "boto3.")) for type_ in type(error).__mro__)


def _refusal_of_proxy(error: BaseException) -> Iterator[str]:
    """Yields the status with which a proxy refused the connection, and the remedy; nothing if none did."""
    for found in filter(None, (TUNNEL.match(str(one)) for one in _chain(error))):
        wanted = "HTTPS_PROXY must have its user and password"
        remedy = wanted if found[1] == "407" else "it must let this address through"
        yield f"the proxy refuses it with HTTP {found[1]}: {remedy}"
        return


def _tls_reason(error: BaseException) -> str | None:
    """Returns why TLS failed, in OpenSSL's words; ``None`` if the error is another one."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted ({one.verify_message})"
        if type(one).__name__ == "CertificateError":
            return f"the certificate is not trusted ({one})"
        if isinstance(one, ssl.SSLError):
            return f"TLS failed ({getattr(one, 'reason', None) or 'without a reason'})"
        if isinstance(one, FileNotFoundError | PermissionError | IsADirectoryError):
            return f"the file of trusted certificates cannot be read ({one.strerror})"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and those that it wraps or arose from, each once."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = getattr(one, "kwargs", None)
        left += [one.__cause__, one.__context__, *one.args, wrapped.get("error") if isinstance(wrapped, dict) else None]
