from typing import Any


def is_model(x: object) -> bool:
    return False


def from_keras(x: object, **kw: Any) -> Any:
    raise SystemExit
