# make mutation MUTANTS=n SEED=n    breaks the code in n small ways, and reports
#                                   those that no test notices

MUTANTS ?= 300
SEED ?= 1

.PHONY: mutation
mutation:
	@python3 tests/mutation/mutate.py --sample $(MUTANTS) --seed $(SEED) \
		--least 80
