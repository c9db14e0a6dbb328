"""Language models: open a GGUF, write many texts at once, weigh texts, probe what a model can."""

import os

# OpenMP threads that spin at barriers make each other wait when the cores are shared with other
# programs: measured 5.5 tokens/s spinning and 24 sleeping on two busy cores. Read at library load.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from publisher.llm.errors import ModelError
from publisher.llm.files import embedded_model_path
from publisher.llm.model import ChatPrompt, Completion, Model, open_model
from publisher.llm.probing import ProbeResult, probe, way_to_captions

__all__ = [
    "ChatPrompt",
    "Completion",
    "Model",
    "ModelError",
    "ProbeResult",
    "embedded_model_path",
    "open_model",
    "probe",
    "way_to_captions",
]
