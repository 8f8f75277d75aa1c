# make book | slides | pdf | download | test | lab | bench | notebooks | kernels | plot | check-book | clean
# Each target makes the virtual environment .venv when it is missing or its requirements have changed.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

# Numba's machine code, in a folder named after the hash of all kernel sources: never stale.
WITH_CACHE = NUMBA_CACHE_DIR="$$($(BIN)/python tools/kernel_cache.py)"

.PHONY: help book slides pdf download test check-book lab bench notebooks kernels plot clean

help:
	@echo "make book        execute the book and build it to _build/html"
	@echo "make slides      build the lectures beside the book, to _build/html/lectures"
	@echo "make pdf         print the built book to _build/html/downloads (needs Chromium)"
	@echo "make download    pack the built book, with what is beside it, into one file there"
	@echo "make test        run the test suite"
	@echo "make check-book  test the built book in Chromium and run every notebook"
	@echo "make lab         open JupyterLab on the notebooks"
	@echo "make bench       run the benchmarks"
	@echo "make notebooks   write notebooks/*.ipynb from the book's chapters; SOLUTIONS=1: with solutions, into _build/notebooks"
	@echo "make kernels     compile the kernels of the live figures for the browser (needs Debian's lld-19)"
	@echo "make plot        bundle the library that draws the live figures (needs npm)"
	@echo "make clean       remove what the commands above have made"
	@echo
	@echo "Another interpreter: make test PYTHON=python3.12"

$(INSTALLED): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "compecon needs Python 3.11 or newer; '$(PYTHON)' is not that. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -r requirements.txt -c constraints.txt
	@touch $@

book: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/jupyter-book build . --all -W --keep-going
	@echo
	@echo "The book is built. Open $(CURDIR)/_build/html/index.html in a browser."

slides: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/python tools/build_slides.py

pdf: $(INSTALLED)
	$(BIN)/python tools/build_pdf.py

download: $(INSTALLED)
	@mkdir -p _build/html/downloads
	rm -f _build/html/downloads/compecon-book.zip
	$(BIN)/python -c 'import shutil; shutil.make_archive("_build/compecon-book", "zip", "_build", "html")'
	mv _build/compecon-book.zip _build/html/downloads

test: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/python -m pytest -m "not browser and not notebook"

check-book: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/python -m pytest -m "browser or notebook" tests

lab: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/jupyter-lab notebooks

bench: $(INSTALLED)
	$(WITH_CACHE) $(BIN)/python -m benchmarks

notebooks: $(INSTALLED)
	$(BIN)/python tools/build_notebooks.py $(if $(SOLUTIONS),--solutions)

kernels: $(INSTALLED)
	$(BIN)/python tools/build_kernels.py

plot: $(INSTALLED)
	$(BIN)/python tools/build_plot.py

clean:
	rm -rf _build .numba_cache .pytest_cache .hypothesis .venv *.egg-info
