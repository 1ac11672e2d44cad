"""The window's languages, as ``tiller_<language>.ts`` and compiled as ``tiller_<language>.qm``; see ``extract``."""
