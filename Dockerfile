# The service alone: no torch, no trainer, no pages, no bundle. The model repository is mounted.
#   docker build --target cpu --tag phonoscope:cpu .
#   docker build --target gpu --tag phonoscope:gpu .     (run with --gpus all)
#   --build-arg EXTRAS=,tracing,signing                  also sends traces, and verifies signatures
#   --build-arg EXTRAS=,serving-openvino                 of the target cpu: also `--engine openvino`

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY proto proto
COPY serving serving
COPY clients clients
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm AS cpu-packages
ARG EXTRAS=""
COPY --from=wheel /wheels /wheels
RUN python -m venv /opt/phonoscope \
    && /opt/phonoscope/bin/pip install --no-cache-dir "$(echo /wheels/phonoscope-*.whl)[serving$EXTRAS]"

FROM python:3.11-slim-bookworm AS gpu-packages
ARG EXTRAS=""
COPY --from=wheel /wheels /wheels
# The extras bring the CUDA and cuDNN that this ONNX Runtime was built for.
RUN python -m venv /opt/phonoscope \
    && /opt/phonoscope/bin/pip install --no-cache-dir \
        "$(echo /wheels/phonoscope-*.whl)[serving-gpu$EXTRAS]" "onnxruntime-gpu[cuda,cudnn]>=1.31,<1.32"

FROM python:3.11-slim-bookworm AS base
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin phonoscope
ENV PATH=/opt/phonoscope/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PHONOSCOPE_MODEL_REPOSITORY=/models
USER 10001
EXPOSE 50051 9464
# Speaks without TLS: with a certificate, let the orchestrator ask instead.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import grpc; from grpc_health.v1 import health_pb2, health_pb2_grpc; channel = grpc.insecure_channel('127.0.0.1:50051'); status = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=3).status; raise SystemExit(status != health_pb2.HealthCheckResponse.SERVING)"]
ENTRYPOINT ["phonoscope-serve", "--address", "0.0.0.0:50051", "--metrics-address", "0.0.0.0:9464"]

FROM base AS gpu
COPY --from=gpu-packages /opt/phonoscope /opt/phonoscope
ENV LD_LIBRARY_PATH=/opt/phonoscope/lib/python3.11/site-packages/nvidia/cu13/lib:/opt/phonoscope/lib/python3.11/site-packages/nvidia/cudnn/lib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
CMD ["--device", "cuda"]

FROM base AS cpu
COPY --from=cpu-packages /opt/phonoscope /opt/phonoscope
CMD ["--device", "cpu"]
