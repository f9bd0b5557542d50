"""Checks the figures of the real process."""

import socket
import urllib.request


def get(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_the_service_serves_its_figures_until_it_ends(bench, reading, ending):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bench.enqueue()
    service = bench.start("run", "--enforce", "--set", f"metrics.listen=127.0.0.1:{port}")
    reading(service, "cycle.finished")
    # The cycle is counted a moment after it is logged.
    reading(service, "cycle.finished")
    assert 'connect_router_transfers_total{outcome="done",rule="late"} 1.0' in get(port)
    ending(service)
    assert service.returncode == 0
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_in_use_ends_the_start_with_one_line(bench):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        address = f"127.0.0.1:{busy.getsockname()[1]}"
        done = bench.run("run", "--set", f"metrics.listen={address}")
    assert done.returncode == 78
    assert done.stderr.splitlines() == [f"connect-router: metrics.listen {address}: Address already in use"]


def test_where_nobody_asks_for_figures_the_library_is_not_loaded(bench):
    bench.enqueue()
    done = bench.run_process("run", "--once", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert "router.daemon.cycle" in done.stderr
    assert "prometheus_client" not in done.stderr
