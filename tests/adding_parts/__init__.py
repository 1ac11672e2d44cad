"""One made-up data set, network and optimizer, added as CONTRIBUTING says."""
