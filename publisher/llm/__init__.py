"""Language models: open a GGUF, write many texts at once, weigh texts, probe what a model can."""

from publisher.llm.errors import ModelError
from publisher.llm.files import embedded_model_path
from publisher.llm.model import ChatPrompt, Completion, Model, open_model

__all__ = ["ChatPrompt", "Completion", "Model", "ModelError", "embedded_model_path", "open_model"]
