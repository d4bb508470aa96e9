"""Opens the models that the rapidocr package carries in onnxruntime, without running the package itself."""

import importlib.util
from typing import Any

from seal_imaging.errors import ReaderUnavailable


def packaged_model(name: str) -> str:
    """Return where a model lies, without importing the package, which would take a second.

    Raises:
        ReaderUnavailable: the package is not installed.
    """
    spec = importlib.util.find_spec("rapidocr")
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise ReaderUnavailable(
            "rapidocr is not installed, so pictures cannot be read; install rapidocr",
            zh="未安装rapidocr，无法识别图像中的文字",
        )
    return f"{places[0]}/models/{name}"


def open_session(name: str, *, threads: int, model_path: str | None = None) -> Any:
    """Return an inference session of a model.

    Args:
        model_path: another model in ONNX form; None for the package's own of that name.

    Raises:
        ReaderUnavailable: the engine or the model is missing, or it is no model.
    """
    path = model_path or packaged_model(name)
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
    except ImportError as error:
        raise ReaderUnavailable(
            "onnxruntime is not installed, so pictures cannot be read; install onnxruntime",
            zh="未安装onnxruntime，无法识别图像中的文字",
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A thread that waits must not burn a core that others need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    broken = (faults.Fail, faults.NoSuchFile, faults.InvalidProtobuf, faults.InvalidArgument)
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except broken as error:
        raise ReaderUnavailable(
            f"the text model {path} cannot be loaded ({error}); install rapidocr again",
            zh="文字识别模型无法加载，请重新安装rapidocr",
        ) from error
