"""A stub of Neon's API that lists projects in pages; a process of its own, ``python -m``.

It prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

PROJECTS = 5000


def project(number: int) -> dict[str, Any]:
    """One with the fields that Neon answers."""
    return {
        "data_storage_bytes_hour": 1040 + number,
        "data_transfer_bytes": 500_000,
        "written_data_bytes": 4_800_000,
        "compute_time_seconds": 1800,
        "active_time_seconds": 7200,
        "cpu_used_sec": 1800,
        "id": f"late-frost-{number:08}",
        "platform_id": "aws",
        "region_id": "aws-us-east-2",
        "name": f"customer {number}",
        "provisioner": "k8s-neonvm",
        "default_endpoint_settings": {
            "autoscaling_limit_min_cu": 0.25,
            "autoscaling_limit_max_cu": 2,
            "suspend_timeout_seconds": 300,
        },
        "settings": {
            "allowed_ips": {"ips": [], "protected_branches_only": False},
            "enable_logical_replication": False,
            "maintenance_window": {"weekdays": [5], "start_time": "07:00", "end_time": "08:00"},
            "block_public_connections": False,
            "block_vpc_connections": False,
            "quota": {"active_time_seconds": 36000, "logical_size_bytes": 500_000_000},
        },
        "pg_version": 17,
        "proxy_host": "us-east-2.aws.neon.tech",
        "branch_logical_size_limit": 512,
        "branch_logical_size_limit_bytes": 536_870_912,
        "store_passwords": True,
        "creation_source": "console",
        "created_at": "2026-06-01T12:00:00Z",
        "updated_at": "2026-11-01T12:00:00Z",
        "synthetic_storage_size": 31_000_000,
        "quota_reset_at": "2026-12-01T00:00:00Z",
        "owner_id": "org-cool-darkness-12345678",
        "org_id": "org-cool-darkness-12345678",
        "compute_last_active_at": "2026-11-20T08:15:30Z",
        "history_retention_seconds": 86400,
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    projects: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        start = int(query.get("cursor", ["0"])[0])
        end = start + int(query.get("limit", ["10"])[0])
        page = ",".join(self.projects[start:end])
        cursor = json.dumps(str(min(end, PROJECTS)))
        body = f'{{"projects":[{page}],"pagination":{{"cursor":{cursor}}}}}'.encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing."""


def main() -> None:
    """Serve until the standard input ends."""
    _Handler.projects = [json.dumps(project(number)) for number in range(PROJECTS)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
