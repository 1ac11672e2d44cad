"""The window's languages: ``tiller.ts`` is what there is to translate, ``tiller_<language>.qm`` a finished one."""
