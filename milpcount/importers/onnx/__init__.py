"""ONNX files: the walk over the graph, and its operators by kind."""
