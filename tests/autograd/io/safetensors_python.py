"""safetensors_python.py read FILE: prints the arrays and texts. safetensors_python.py write FILE, or weights FILE: writes some.
Only standard Python; where NumPy and safetensors are installed, they must say the same."""

import json, struct, sys

CODES = {"F32": "f", "F64": "d", "I64": "q", "U8": "B", "BOOL": "?"}


def read(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    texts = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        code = CODES[entry["dtype"]]
        values = struct.unpack(f"<{(end - begin) // struct.calcsize(code)}{code}", data[begin:end])
        arrays[name] = (entry["dtype"], entry["shape"], list(values))
    return arrays, texts


def write(path, arrays, texts):
    header, data = {"__metadata__": texts}, b""
    for name, (dtype, shape, values) in arrays.items():
        begin = len(data)
        data += struct.pack(f"<{len(values)}{CODES[dtype]}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


def agrees_with_the_library(path, arrays):
    try:
        from safetensors.numpy import load_file
    except ImportError:
        return
    loaded = load_file(path)
    assert loaded.keys() == arrays.keys(), loaded.keys()
    for name, (_, shape, values) in arrays.items():
        assert list(loaded[name].shape) == shape and loaded[name].ravel().tolist() == values, name


WEIGHTS = {"w": ("F32", [2, 2], [1, 2, 3, 0.5])}
if sys.argv[1] == "weights":
    write(sys.argv[2], WEIGHTS, {"format": "pt"})
if sys.argv[1] == "write":
    write(sys.argv[2], WEIGHTS | {"mask": ("BOOL", [3], [True, False, True]), "epoch": ("I64", [], [-7])},
          {"written by": "Python \u00e4 \U0001f600"})
arrays, texts = read(sys.argv[2])
agrees_with_the_library(sys.argv[2], arrays)
for name in sorted(arrays):
    print(name, *arrays[name])
print(texts)
