import time, sys, warnings
warnings.simplefilter("error")
from pathlib import Path
import tempfile
import milpcount as mc, numpy as np
from tests.study import fakes
from milpcount.study import run_study
if __name__=="__main__":
    for f in (fakes.quick,fakes.failing,fakes.broken,fakes.dying,fakes.threads):
        d=Path(tempfile.mkdtemp())
        t=time.time()
        r=run_study(fakes.write_study(d),workers=mc.DaskCluster(workers=2),execute_run=f)
        print(f.__name__,r.done,r.failures,time.time()-t)
