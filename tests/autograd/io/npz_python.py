"""npz_python.py read FILE: whether NumPy, or else a ZIP program, reads it. npz_python.py write FILE TYPE: writes an array
'a' of eight bytes of ones, of this type."""

import sys, zipfile


def write(path, kind):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({8 // int(kind[2:])},), }}\n".encode()
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", start + header + b"\xff" * 8)


def read(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        print(*archive.namelist())
    try:
        import numpy
    except ImportError:
        return
    expected = {"x": ("float32", [[1.5, 2], [3, 4]]), "labels": ("int64", [3, -1]), "mask": ("bool", [True, False]),
                "pixels": ("uint8", [0, 255]), "empty": ("float64", [])}
    with numpy.load(path) as arrays:
        assert set(arrays.files) == set(expected), arrays.files
        for name, (dtype, values) in expected.items():
            assert arrays[name].dtype == dtype and arrays[name].tolist() == values, name


{"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
