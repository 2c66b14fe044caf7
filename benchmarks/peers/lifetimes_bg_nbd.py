"""BG/NBD by lifetimes on the customers of an .npz file; prints seconds and the log-likelihood it reached."""

import json
import sys
import time

import numpy as np
from lifetimes import BetaGeoFitter

customers = np.load(sys.argv[1])
start = time.perf_counter()
fitter = BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["age"])
seconds = time.perf_counter() - start
log_likelihood = -fitter._negative_log_likelihood_ * len(customers["age"])
print(json.dumps({"seconds": seconds, "log_likelihood": log_likelihood, "parameters": dict(fitter.params_)}))
