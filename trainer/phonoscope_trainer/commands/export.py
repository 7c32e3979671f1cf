"""`phonoscope-train export`, `reissue`, `recover` and `deploy`: trained runs as a Triton model repository."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from phonoscope_trainer.command_line import this_command
from phonoscope_trainer.commands.options import Verbs
from phonoscope_trainer.export import recovery
from phonoscope_trainer.export import reissue as reissuing
from phonoscope_trainer.export.bank import BANK, BankOptions
from phonoscope_trainer.export.bundle import FAMILIES, ExportOptions, export
from phonoscope_trainer.export.labelled_bank import TAGGER_BANK, LabelledBankOptions
from phonoscope_trainer.export.tagger_rules import TaggerAdditions
from phonoscope_trainer.repository.deployment import CPU, DEVICES, Deployment, Device, deploy


def add(verbs: Verbs) -> None:
    """`export`, `reissue`, `recover` and `deploy`."""
    exporter = verbs.add_parser("export", help="write trained runs as a Triton model repository")
    exporter.add_argument("--detector", type=Path, required=True, help="run of the detector")
    exporter.add_argument("--inverter", type=Path, required=True, help="run of the explanation inverter")
    exporter.add_argument("--masker", type=Path, help="run of the masker; with one, it is the rule served by default")
    _add_doubt(exporter)
    for family, part in FAMILIES.items():
        exporter.add_argument(
            f"--{family}",
            type=Path,
            nargs="*",
            default=[],
            metavar="RUN",
            help=f"runs of {part.meaning}; without them the bundle has none",
        )
    exporter.add_argument("--name", required=True, help="the bundle's name and version, such as svdnet-2026.11")
    exporter.add_argument("--out", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    exporter.add_argument(
        "--metrics", type=Path, nargs="*", default=[], help="JSON of experiments, kept in the manifest"
    )
    _add_bank(exporter, BANK.songs, TAGGER_BANK.songs)
    _add_deployment(exporter)
    exporter.set_defaults(run=export_bundle)

    again = verbs.add_parser(
        "reissue",
        help="write a bundle again with this version's graphs; its networks stay, and no runs are needed",
        description=reissuing.__doc__,
    )
    again.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    again.add_argument("--out", type=Path, help="(default: in place of the one it is made from)")
    again.add_argument("--name", required=True, help="of the new bundle, version included")
    _add_bank(again, 0, 0)
    _add_doubt(again)
    _add_tagger(again.add_argument_group("of the tagger"))
    again.set_defaults(run=reissue_bundle)

    recoverer = verbs.add_parser(
        "recover",
        help="make runs of a bundle's networks, to train on from or to export again, where theirs are gone",
        description=recovery.__doc__,
    )
    recoverer.add_argument(
        "--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)"
    )
    recoverer.add_argument("--runs", type=Path, default=Path("runs/recovered"), help="folder (default %(default)s)")
    recoverer.set_defaults(run=recover_runs)

    deployer = verbs.add_parser("deploy", help="write an exported bundle for another device; graphs stay as they are")
    deployer.add_argument(
        "--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)"
    )
    deployer.add_argument("--out", type=Path, required=True, help="folder; may be the model repository itself")
    _add_deployment(deployer)
    deployer.set_defaults(run=deploy_bundle)


def _add_doubt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--doubt",
        type=Path,
        metavar="RUN",
        help="run of what tells how far answers are to be doubted; without one none is added",
    )


def _add_tagger(group: argparse._ArgumentGroup) -> None:
    for name, made_by, meaning in (
        ("masker", "masker", "its masker, which is served by default then"),
        ("inverters", "feature-inverters", "its inverters, and with them the rule `inversion`"),
    ):
        group.add_argument(
            f"--tagger-{name}",
            type=Path,
            metavar="RUN",
            help=f"run of `{made_by} --listener tagger`: adds {meaning}",
        )
    group.add_argument(
        "--tagger-occlusion",
        type=int,
        default=0,
        metavar="MASKS",
        help="adds the black-box rule `occlusion`, which hears so many masked clips each time it is asked, such as 256",
    )


def _add_bank(parser: argparse.ArgumentParser, songs: int, tagger_songs: int) -> None:
    parser.add_argument(
        "--bank",
        type=int,
        default=songs,
        metavar="SONGS",
        help="make at most so many songs to take other music from, which regions are exchanged with; 0: none is added "
        "(default %(default)s)",
    )
    parser.add_argument(
        "--tagger-bank",
        type=int,
        default=tagger_songs,
        metavar="SONGS",
        help="likewise for the tagger, each song in every genre (default %(default)s)",
    )


def _bank(songs: int) -> BankOptions | None:
    return BankOptions(songs=songs) if songs else None


def _tagger_bank(songs: int) -> LabelledBankOptions | None:
    return LabelledBankOptions(songs=songs) if songs else None


def _add_deployment(parser: argparse.ArgumentParser) -> None:
    server = parser.add_argument_group("on a stock Triton server")
    server.add_argument("--device", choices=DEVICES, default=CPU.device, help="(default %(default)s)")
    server.add_argument(
        "--instances",
        type=int,
        default=CPU.instances,
        help="of every graph, on the CPU or each GPU (default %(default)s)",
    )
    server.add_argument(
        "--half-precision", nargs="*", default=[], metavar="GRAPH", help="graphs TensorRT may round to 16 bits"
    )
    server.add_argument(
        "--engine-cache",
        default=CPU.engine_cache,
        metavar="DIR",
        help="where TensorRT keeps its engines on the server (default %(default)s)",
    )


def export_bundle(
    detector: Path,
    inverter: Path,
    masker: Path | None,
    doubt: Path | None,
    name: str,
    out: Path,
    metrics: Sequence[Path],
    bank: int,
    tagger_bank: int,
    device: Device,
    instances: int,
    half_precision: Sequence[str],
    engine_cache: str,
    **families: Sequence[Path],
) -> None:
    """Write the model repository."""
    deployment = Deployment(device, instances, tuple(half_precision), engine_cache)
    runs = {family: tuple(folders) for family, folders in families.items()}
    banks = (_bank(bank), _tagger_bank(tagger_bank))
    options = ExportOptions(
        name, detector, inverter, masker, out, this_command(), doubt, runs, tuple(metrics), deployment, *banks
    )
    print(f"{name} {export(options)}")


def reissue_bundle(
    model_repository: Path,
    out: Path | None,
    name: str,
    bank: int,
    tagger_bank: int,
    doubt: Path | None,
    tagger_masker: Path | None,
    tagger_inverters: Path | None,
    tagger_occlusion: int,
) -> None:
    """Write a bundle again."""
    digest = reissuing.reissue(
        model_repository,
        out or model_repository,
        name,
        this_command(),
        bank=_bank(bank),
        doubt=doubt,
        tagger_bank=_tagger_bank(tagger_bank),
        tagger=TaggerAdditions(tagger_masker, tagger_inverters, tagger_occlusion),
    )
    print(f"{name} {digest}")


def recover_runs(model_repository: Path, runs: Path) -> None:
    """Write runs of a bundle's networks."""
    for name in recovery.recover(model_repository, runs, this_command()):
        print(runs / name)


def deploy_bundle(
    model_repository: Path, out: Path, device: Device, instances: int, half_precision: Sequence[str], engine_cache: str
) -> None:
    """Write a bundle for another device."""
    deployment = Deployment(device, instances, tuple(half_precision), engine_cache)
    print(f"{out} {deploy(model_repository, out, deployment, this_command())}")
