"""A registry that makes each requested image from a static busybox and one script.

    registry.py BUSYBOX SCRIPT PORT

Prints a line when it listens on 127.0.0.1, and ends when its standard input ends. Each image runs SCRIPT under the name
of its entry point. $VERSION is the image's tag. The server has the part of the registry HTTP API that a pull by Docker
needs.
"""

import gzip
import hashlib
import io
import json
import platform
import re
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DOCKER = "application/vnd.docker"
ARCHITECTURE = {"aarch64": "arm64", "x86_64": "amd64"}[platform.machine()]
ENTRY_POINTS = ("http", "migrate", "realtime", "schedule", "serve", "worker-functions")


def layer(busybox, script):
    """The single layer of all images, as a tar archive."""
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("bin", "storage", "tmp", "www"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, path in (("bin/busybox", busybox), ("bin/appwrite", script)):
            with open(path, "rb") as file:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(file.read()), 0o755
                file.seek(0)
                tar.addfile(entry, file)
        links = {name: "busybox" for name in applets if name != "busybox"} | dict.fromkeys(ENTRY_POINTS, "appwrite")
        for name, target in links.items():
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return archive.getvalue()


class Registry:
    def __init__(self, busybox, script):
        archive = layer(busybox, script)
        self.blobs = {}
        self.layer_id = digest(archive)
        self.layer = self.keep("image.rootfs.diff.tar.gzip", gzip.compress(archive, mtime=0))

    def keep(self, kind, content):
        self.blobs[digest(content)] = content
        return {"mediaType": f"{DOCKER}.{kind}", "size": len(content), "digest": digest(content)}

    def manifest(self, tag):
        # No program in the image ends by itself, and none needs time to shut down.
        run = {"Cmd": ["http"], "Env": ["PATH=/bin", f"VERSION={tag}"], "StopSignal": "SIGKILL"}
        image = {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [self.layer_id]},
        }
        config = self.keep("container.image.v1+json", json.dumps(image).encode())
        kind = f"{DOCKER}.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [self.layer]}
        return kind, json.dumps(manifest).encode()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/v2/":
            return self.answer(200, "application/json", b"{}")
        match = re.fullmatch(r"/v2/[a-z0-9/_-]+/(manifests|blobs)/([A-Za-z0-9._:-]+)", self.path)
        if not match:
            return self.answer(404, "application/json", b"{}")
        what, reference = match.groups()
        if reference in self.registry.blobs:
            content = self.registry.blobs[reference]
            kind = json.loads(content)["mediaType"] if what == "manifests" else "application/octet-stream"
            return self.answer(200, kind, content)
        if what == "blobs" or reference.startswith("sha256:"):
            return self.answer(404, "application/json", b"{}")
        kind, manifest = self.registry.manifest(reference)
        self.registry.blobs[digest(manifest)] = manifest
        return self.answer(200, kind, manifest)

    do_HEAD = do_GET

    def answer(self, status, kind, content):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def main():
    busybox, script, port = sys.argv[1:]
    Handler.registry = Registry(busybox, script)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", flush=True)
    sys.stdin.read()


main()
