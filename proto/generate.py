"""Generate the committed stubs from the .proto files: `python proto/generate.py [--out DIR]`."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Run protoc over every .proto file; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT, help="where the phonoscope/v1 folder of stubs goes")
    out = parser.parse_args().out
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("phonoscope/v1/*.proto"))
    include = str(files("grpc_tools") / "_proto")
    arguments = ["protoc", f"-I{ROOT}", f"-I{include}", f"--python_out={out}", f"--pyi_out={out}"]
    return int(protoc.main([*arguments, f"--grpc_python_out={out}", *sources]))


if __name__ == "__main__":
    sys.exit(main())
