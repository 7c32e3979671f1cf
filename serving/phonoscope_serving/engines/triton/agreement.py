"""Whether a model server has the models of this bundle, judged by the configs it says it serves."""

from __future__ import annotations

from tritonclient.grpc import model_config_pb2

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.errors import BundleError

PARAMETER = "parameter "


def require_agreement(ours: ModelConfig, served: ModelConfig, server: str) -> None:
    """Refuses a served model that is not the bundle's.

    Tensors, batch size, an ensemble's steps and the bundle's own parameters must be the same. What only says how a
    server runs a model (backend, instances, batching, further parameters) is the server's own affair.

    Args:
        ours: config of the bundle's model.
        served: config of the server's model of that name.
        server: the server's address, for the message.

    Raises:
        BundleError: they differ; the message names server, model and what differs.
    """
    expected, found = _traits(ours), _traits(served)
    surplus = [trait for trait in found if trait not in expected and not trait.startswith(PARAMETER)]
    for trait in [*expected, *surplus]:
        if expected.get(trait) != found.get(trait):
            raise BundleError(
                f"the Triton server at {server} has another model {ours.name}: {trait} is "
                f"{found.get(trait, 'missing')} there and {expected.get(trait, 'missing')} in the bundle"
            )


def _traits(config: ModelConfig) -> dict[str, str]:
    """Everything that must agree, by name."""
    traits = {"max_batch_size": str(config.max_batch_size)}
    for kind, tensors in (("input", config.input), ("output", config.output)):
        for tensor in tensors:
            data_type = model_config_pb2.DataType.Name(tensor.data_type)
            traits[f"{kind} {tensor.name}"] = f"{data_type} {list(tensor.dims)}"
    for number, step in enumerate(config.ensemble_scheduling.step, 1):
        maps = (dict(sorted(step.input_map.items())), dict(sorted(step.output_map.items())))
        traits[f"step {number}"] = f"{step.model_name} {maps[0]} → {maps[1]}"
    for name, parameter in sorted(config.parameters.items()):
        traits[f"{PARAMETER}{name}"] = repr(parameter.string_value)
    return traits
