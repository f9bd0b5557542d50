"""Checks that an instance that cannot be read leads to one clear line, which explains what to do."""

import datetime
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

READING = [["plan"], ["check", "--live"], ["run", "--once"]]


def told(done):
    """Returns the one line that is printed in addition to the announcement."""
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("instance "))
    return line


@pytest.fixture
def nobody_listens():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_nobody_listens(bench, command, nobody_listens):
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=nobody_listens)

    assert done.returncode == 1
    assert told(done).startswith(f"connect-router: cannot reach {nobody_listens} (EndpointConnectionError); check")


@pytest.mark.parametrize("command", [*READING, ["run"]], ids=" ".join)
def test_no_credentials(bench, command):
    done = bench.run(*command, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)

    assert done.returncode == 1, "a role may hand some out in a moment"
    assert told(done).startswith("connect-router: no AWS credentials: give this machine a role, or set AWS_PROFILE")


@pytest.mark.parametrize(("command", "status"), [(["plan"], 2), (["run"], 78)], ids=["plan", "run"])
def test_no_region(bench, command, status):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text().replace('region = "us-east-1"\n', ""))

    done = bench.run(*command)

    assert done.returncode == status
    assert told(done).startswith("connect-router: no AWS region: set region under [connect]")


@pytest.mark.parametrize(
    ("command", "status"),
    [(["plan"], 2), (["check", "--live"], 2), (["run", "--once"], 78)],
    ids=["plan", "check", "run"],
)
def test_an_instance_that_is_not_there(bench, command, status):
    done = bench.run(*command, "--set", "connect.instance=99999999-2222-3333-4444-555555555555")

    assert done.returncode == status
    assert "knows no instance 99999999-2222-3333-4444-555555555555" in told(done)
    assert "check instance and region under [connect]" in told(done)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired_credentials", "AWS refuses the credentials (ExpiredTokenException"),
        ("access_denied", "AWS does not let these credentials read instance"),
    ],
    ids=["expired", "denied"],
)
def test_credentials_that_are_refused(bench, fault, words):
    bench.sandbox.world.faults.add(fault)

    done = bench.run("plan")

    assert done.returncode == 1
    assert words in told(done)


def test_the_service_itself_waits_for_the_instance_and_says_so(bench, nobody_listens, ending, reading):
    service = bench.start("run", AWS_ENDPOINT_URL_CONNECT=nobody_listens)

    degraded = reading(service, "search.degraded")
    ending(service)

    assert degraded["error"] == "EndpointConnectionError"
    assert degraded["retry_in_s"] > 0
    assert service.returncode == 0


def test_a_search_that_breaks_off_is_told_and_exits_1(bench):
    bench.enqueue()
    bench.sandbox.world.faults.add("error_500", "SearchContacts")

    done = bench.run("plan", "--json")

    assert done.returncode == 1
    assert "the search could not be read to its end (InternalServiceException)" in done.stderr
    assert done.stdout == "[]\n"


class Blocking(BaseHTTPRequestHandler):
    """Refuses everything as a proxy does that blocks AWS by policy."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        page = b"<html>Blocked by policy</html>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def served():
    """Serves ``Blocking``; returns the function that starts it, with TLS if it gets a certificate."""
    servers = []

    def start(certificate=None):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Blocking)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return f"{'http' if certificate is None else 'https'}://localhost:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def certificate(tmp_path):
    """Makes a self-signed certificate for ``localhost``, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + made.public_bytes(form))
    return path


SET = (
    "AWS_CA_BUNDLE, or ca_bundle in the AWS profile, must name a readable file that contains the certificate of the CA"
)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_certificate_that_is_not_trusted(bench, command, served, certificate):
    url = served(certificate)
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=url)

    assert done.returncode == 1
    reason = f"SSLError: the certificate is not trusted (self-signed certificate); {SET}"
    assert told(done).startswith(f"connect-router: cannot reach {url} ({reason})")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the file of trusted certificates cannot be read (No such file or directory)"),
        ("", "TLS failed (NO_CERTIFICATE_OR_CRL_FOUND)"),
    ],
    ids=["missing", "empty"],
)
@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_bundle_of_certificates_that_cannot_be_used(bench, command, served, certificate, content, reason):
    bundle = bench.folder / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=served(certificate), AWS_CA_BUNDLE=str(bundle))

    assert done.returncode == 1
    assert f"(SSLError: {reason}; {SET})" in told(done)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_page_of_a_proxy_is_not_iams_refusal(bench, command, served):
    url = served()
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=url, NO_PROXY="localhost")

    assert done.returncode == 1
    assert told(done) == (
        f"connect-router: {url} cannot be called (NotFromAws: HTTP 403, and not from AWS: a proxy or firewall refuses"
        " the call; let it through there, or set HTTPS_PROXY or NO_PROXY)"
    )


def test_a_trusted_certificate_is_accepted(bench, served, certificate):
    url = served(certificate)
    done = bench.run("plan", AWS_ENDPOINT_URL_CONNECT=url, AWS_CA_BUNDLE=str(certificate), NO_PROXY="localhost")

    assert "NotFromAws" in told(done)


def test_a_clock_that_aws_refuses(bench):
    message = "Signature expired: 20261130T192645Z is now earlier than 20261130T193145Z (20261130T193645Z - 5 min.)"
    bench.sandbox.world.faults.add("error", code="InvalidSignatureException", message=message)

    done = bench.run("plan")

    assert done.returncode == 1
    assert told(done) == (
        f"connect-router: AWS refuses the time of this machine (InvalidSignatureException: {message});"
        " set its clock, best by NTP"
    )
