"""Checks that of an exception of the SDK only harmless text is shown, and that TLS errors have their reason."""

import ssl
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
)

from router.sdk_errors import (
    ENDPOINT_REMEDY,
    HARMLESS,
    TLS_REMEDY,
    WRONG_KEY,
    describe_error,
    may_quote_credentials,
    message_of_aws,
    plain_url,
    refused_time,
)

SECRET = "Xyzzy/Plugh+Secret=="
EXPIRED = "Signature expired: 20261130T192645Z is now earlier than 20261130T193145Z (20261130T193645Z - 5 min.)"
EARLY = "Signature not yet current: 20261130T194645Z is still later than 20261130T194145Z (20261130T193645Z + 5 min.)"


def every_exception():
    """Yields one exception of each class of botocore's, with the secret in each value of its text."""
    for kind in vars(botocore.exceptions).values():
        if not (isinstance(kind, type) and issubclass(kind, BotoCoreError)) or kind.__name__ in HARMLESS:
            continue
        fields = dict.fromkeys(_fields(kind.fmt), SECRET)
        try:
            yield kind(**fields)
        except TypeError:
            continue


def _fields(text):
    return {part.split("}")[0] for part in text.split("{")[1:]} - {""}


def test_no_exception_of_the_sdk_shows_its_text_unless_it_is_known_to_be_harmless():
    tried = [describe_error(error).replace(f" from {SECRET}:", ":") for error in every_exception()]
    assert len(tried) > 50
    assert [text for text in tried if SECRET in text] == []


def test_harmless_classes_exist_and_have_formats_without_an_inner_error():
    known = vars(botocore.exceptions)
    for name in HARMLESS - {"UnusableCredentials"}:
        assert "{error" not in known[name].fmt, name
        assert "{msg" not in known[name].fmt, name


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            EndpointConnectionError(endpoint_url=f"https://me:{SECRET.replace('/', '')}@proxy.example/x"),
            'Could not connect to the endpoint URL: "https://***@proxy.example/x"',
        ),
        (ProfileNotFound(profile="night\nshift"), "The config profile (night\\nshift) could not be found"),
        (
            HTTPClientError(error=ValueError(f"Invalid header value b'{SECRET}\\n'")),
            "HTTPClientError: its text is not shown, because it may contain credentials",
        ),
        (
            CredentialRetrievalError(provider="custom-process", error_msg=SECRET),
            "CredentialRetrievalError from custom-process: its text is not shown, because it may contain credentials",
        ),
        (ValueError("Invalid endpoint: http://"), f"Invalid endpoint: ***; {ENDPOINT_REMEDY}"),
        (ValueError(f"Invalid endpoint: htp:/x {SECRET}"), f"Invalid endpoint: ***; {ENDPOINT_REMEDY}"),
        (ValueError(f"Invalid endpoint: http://a_b/?{SECRET}"), f"Invalid endpoint: http://a_b/; {ENDPOINT_REMEDY}"),
        (
            EndpointConnectionError(endpoint_url=f"https://me:{SECRET}@host:1/path?token={SECRET}"),
            'Could not connect to the endpoint URL: "***"',
        ),
        (
            EndpointConnectionError(endpoint_url=f"https://me:pass@host:1/path?token={SECRET}"),
            'Could not connect to the endpoint URL: "https://***@host:1/path"',
        ),
        (
            ProxyConnectionError(proxy_url=f'http://me:{SECRET}"@proxy'),
            'Failed to connect to proxy URL: "***"',
        ),
        (ValueError(SECRET), "ValueError: its text is not shown, because it may contain credentials"),
    ],
)
def test_what_is_shown_of_an_exception(error, text):
    assert describe_error(error) == text


def _verification(reason):
    error = ssl.SSLCertVerificationError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {reason}")
    error.verify_message = reason
    return error


def _tls(reason):
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason.lower()}")
    error.reason = reason
    return error


class CertificateError(ValueError):
    """Imitates urllib3's error of the same name."""


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (_verification("self-signed certificate"), "the certificate is not trusted (self-signed certificate)"),
        (FileNotFoundError(2, "No such file or directory"), "the file of trusted certificates cannot be read (No such"),
        (PermissionError(13, "Permission denied"), "the file of trusted certificates cannot be read (Permission"),
        (IsADirectoryError(21, "Is a directory"), "the file of trusted certificates cannot be read (Is a directory)"),
        (_tls("NO_CERTIFICATE_OR_CRL_FOUND"), "TLS failed (NO_CERTIFICATE_OR_CRL_FOUND)"),
    ],
)
def test_a_tls_error_has_its_reason_and_the_remedy(inner, reason):
    text = describe_error(SSLError(endpoint_url="https://connect.example", error=inner))
    assert text.startswith(reason)
    assert text.endswith(TLS_REMEDY)


@pytest.mark.parametrize(
    ("inner", "remedy"),
    [
        (_verification("certificate has expired"), "check the clock of this machine, then renew the certificate"),
        (_verification("certificate is not yet valid"), "check the clock of this machine"),
        (_verification("Hostname mismatch, certificate is not valid for 'b'."), "check AWS_ENDPOINT_URL_CONNECT"),
        (_verification("IP address mismatch, certificate is not valid for 'b'."), "check AWS_ENDPOINT_URL_CONNECT"),
        (CertificateError("hostname 'a' doesn't match 'b'"), "check AWS_ENDPOINT_URL_CONNECT"),
        (CertificateError("no appropriate subjectAltName fields were found"), "check AWS_ENDPOINT_URL_CONNECT"),
        (_tls("WRONG_VERSION_NUMBER"), "check https:// in AWS_ENDPOINT_URL_CONNECT and HTTPS_PROXY"),
    ],
)
def test_a_tls_error_that_is_not_about_the_ca_has_another_remedy(inner, remedy):
    text = describe_error(SSLError(endpoint_url="https://connect.example", error=inner))
    assert text.endswith(remedy)
    assert TLS_REMEDY not in text


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("407 Proxy Authentication Required", "HTTP 407: HTTPS_PROXY must have its user and password"),
        (f"403 {SECRET}", "HTTP 403: it must let this address through"),
    ],
)
def test_a_proxy_that_refuses_to_connect_is_named_with_its_status(told, shown):
    inner = OSError("Cannot connect to proxy.", OSError(f"Tunnel connection failed: {told}"))
    text = describe_error(ProxyConnectionError(proxy_url="http://me:Secret@proxy.example", error=inner))
    assert text.endswith(f"; the proxy refuses it with {shown}")
    assert "Secret" not in text


def test_a_proxy_that_cannot_be_reached_is_not_said_to_refuse():
    inner = OSError("Cannot connect to proxy.", ConnectionRefusedError(111, "Connection refused"))
    text = describe_error(ProxyConnectionError(proxy_url="http://proxy.example", error=inner))
    assert text == 'Failed to connect to proxy URL: "http://proxy.example"'


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("InvalidSignatureException", EXPIRED, EXPIRED),
        ("InvalidSignatureException", EARLY, EARLY),
        ("SignatureDoesNotMatch", f"The Canonical String was 'x-amz-security-token:{SECRET}'", WRONG_KEY),
        ("IncompleteSignature", f"'{SECRET}' not a valid key=value pair in Authorization header", WRONG_KEY),
        ("InvalidSignatureException", f"{EXPIRED}\nx-amz-security-token:{SECRET}", EXPIRED),
        ("ExpiredTokenException", "The security token included in the request is expired", None),
    ],
)
def test_a_message_of_aws_never_quotes_the_request(code, message, shown):
    assert message_of_aws(code, message) == (shown or message)
    error = ClientError({"Error": {"Code": code, "Message": message}}, "DescribeContact")
    assert describe_error(error) == f"{code}: {shown or message}"


@pytest.mark.parametrize(
    ("code", "message", "refused"),
    [
        ("InvalidSignatureException", EXPIRED, True),
        ("SignatureDoesNotMatch", EARLY, True),
        ("RequestExpired", "Request has expired.", True),
        ("RequestTimeTooSkewed", "", True),
        ("InvalidSignatureException", "The request signature we calculated does not match", False),
        ("ExpiredTokenException", "The security token included in the request is expired", False),
    ],
)
def test_a_refused_time_is_told_from_a_refused_key(code, message, refused):
    assert (refused_time(code, message) is not None) == refused


def test_an_exception_that_came_through_the_sdk_is_found_by_its_class_its_cause_and_its_traceback():
    assert may_quote_credentials(HTTPClientError(error="x"))
    assert not may_quote_credentials(ValueError("x"))
    wrapped = RuntimeError("x")
    wrapped.__cause__ = HTTPClientError(error="x")
    assert may_quote_credentials(wrapped)
    with pytest.raises(ValueError, match="Invalid header") as raised:
        _put_header()
    assert may_quote_credentials(raised.value)


def _put_header():
    import http.client

    connection: Any = http.client.HTTPConnection("127.0.0.1")
    connection._HTTPConnection__state = "Request-started"
    connection.putheader("x", "secret\n")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@proxy.example:3128/", "https://***@proxy.example:3128/"),
        ("https://connect.us-east-1.amazonaws.com", "https://connect.us-east-1.amazonaws.com"),
        ("http://127.0.0.1:4571", "http://127.0.0.1:4571"),
        ("http://[::1]:4571/x", "http://[::1]:4571/x"),
        ("https://host/path?token=secret#part", "https://host/path"),
        ("https://host secret", "https://host"),
        ("https://me:pa/ss@host", "***"),
        ("https://me:pa?ss@host", "***"),
        ("https://me:pa ss@host", "***"),
        ("https://host/path@with", "***"),
        ("https://me@you@host", "***"),
        ("htp:/x secret", "***"),
        ("secret", "***"),
        ("", "***"),
    ],
)
def test_what_may_be_secret_is_removed_from_urls(url, shown):
    assert plain_url(url) == shown
