"""Compile the exported kernels to WebAssembly: compecon/live/assets/kernels.wasm, and a manifest beside it.

Numba's own LLVM makes the machine code, as it does natively, for another machine: the browser's. Run as `make kernels`;
it needs Debian's linker `lld-19`, which nobody else needs, because both files ship with the package.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

# Before numba is imported: plain code for no processor in particular, which LLVM optimises once, for the browser.
os.environ.update(NUMBA_OPT="0", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_DISABLE_INTEL_SVML="1")
# A cache of its own, removed at the end: this machine's holds other code under the same names.
CACHE = tempfile.TemporaryDirectory()
os.environ["NUMBA_CACHE_DIR"] = CACHE.name

import llvmlite.binding as llvm
import numba
from numba import carray, cfunc, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import lower_builtin
from numba.np.arrayobj import make_array, populate_array

from compecon.live.bundle import KERNELS, MANIFEST, source_hash
from compecon.live.exports import EXPORTS

LINKER = "wasm-ld-19"
TRIPLE = "wasm32-unknown-unknown"
LAYOUT = "e-m:e-p:32:32-p10:8:8-p20:8:8-i64:64-n32:64-S128-ni:1:10:20"
# What a page lends (assets/engine.js): three functions, and the release of memory that no kernel ever takes.
LENT = ("exp", "log", "log1p", "NRT_MemInfo_call_dtor")


def wrapped(export):
    """The kernel as a C function: an array is a pointer and its dimensions, a number a double; it returns an int32."""
    parameters, values, kinds = [], [], []
    for name, rank in export.arguments:
        sizes = [f"{name}_{axis}" for axis in range(rank)]
        parameters += [name, *sizes]
        values.append(f"carray({name}, ({', '.join(sizes)},))" if rank else name)
        kinds += [types.CPointer(types.float64), *[types.int32] * rank] if rank else [types.float64]
    source = f"def {export.name}({', '.join(parameters)}):\n    return kernel({', '.join(values)})\n"
    scope = {"kernel": export.kernel, "carray": carray}
    exec(source, scope)
    return cfunc(types.int32(*kinds))(scope[export.name])


def reshaped(context, builder, signature, arguments):
    """`array.reshape(m, n)` as a view of contiguous memory, without the exceptions for sizes that do not fit."""
    old, new = make_array(signature.args[0])(context, builder, arguments[0]), make_array(signature.return_type)
    view, stride, strides = new(context, builder), old.itemsize, []
    shape = [context.cast(builder, size, kind, types.intp)
             for size, kind in zip(arguments[1:], signature.args[1:], strict=True)]
    for size in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, size)
    populate_array(view, old.data, shape, strides, old.itemsize, old.meminfo, old.parent)
    return impl_ret_borrowed(context, builder, signature.return_type, view._getvalue())


# More specific than numba's own, and therefore preferred to it.
for rank in (2, 3):
    lower_builtin("array.reshape", types.Array, *[types.Integer] * rank)(reshaped)


def portable(function):
    """The function's LLVM module under its plain name, without what names the machine that made it."""
    text = function.inspect_llvm()
    text = re.sub(rf'@"?{re.escape(function.native_name)}"?(?=[(\s])', f"@{function.__name__}", text)
    text = re.sub(r"^target (datalayout|triple) = .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r'"target-(cpu|features)"="[^"]*"', "", text)
    # Python objects that numba would fill in; WebAssembly has no symbols of this kind.
    text = re.sub(r"= common (\w+ )*global", "= internal global", text)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = TRIPLE, LAYOUT
    return module


def compiled(functions):
    """One WebAssembly object that holds all functions; what they share stands in it once."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = portable(functions[0])
    for function in functions[1:]:
        module.link_in(portable(function))
    public = {function.__name__ for function in functions}
    for function in module.functions:
        if not function.is_declaration and function.name not in public:
            function.linkage = llvm.Linkage.internal
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(opt=2)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    # Twice: only after the first round does LLVM see that what a kernel calls raises no exception.
    for _ in range(2):
        builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def linked(code, names):
    """The finished module as bytes: exports `names`, its memory and where the memory is free."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, lent = (Path(folder, name) for name in ("kernels.o", "kernels.wasm", "lent"))
        source.write_bytes(code)
        lent.write_text("\n".join(LENT))
        exports = [f"--export={name}" for name in (*names, "__heap_base")]
        options = ["--no-entry", f"--allow-undefined-file={lent}", "--gc-sections", "--strip-all"]
        subprocess.run([LINKER, *options, *exports, "-o", target, source], check=True)
        return target.read_bytes()


def built():
    """The exported kernels as the bytes of a WebAssembly module."""
    if shutil.which(LINKER) is None:
        sys.exit(f"{LINKER} is missing: it links the kernels for the browser. On Debian: apt install lld-19")
    warnings.filterwarnings("ignore", "Cannot cache compiled function", numba.NumbaWarning)
    functions = [wrapped(export) for export in EXPORTS]
    return linked(compiled(functions), [export.name for export in EXPORTS])


def main():
    """Write both files and print the size."""
    code = built()
    KERNELS.write_bytes(code)
    manifest = {
        "sources": source_hash(),
        "compiler": f"numba {numba.__version__}",
        "kernels": {export.name: export.arguments for export in EXPORTS},
    }
    MANIFEST.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"{KERNELS.name}: {len(EXPORTS)} kernels, {len(code):,} bytes")


if __name__ == "__main__":
    main()
