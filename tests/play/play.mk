# The whole course from the first observed login to the last date, of invented people.
# PLAY: options, as "--people 500 --notify-days 28"; tests/play/play --help has them. It takes
# root, or --real 0.

.PHONY: play play-small play-mixes play-million evidence

play: all
	tests/play/play $(BUILD) --real 20 $(PLAY)

# In `make check`: three universities, whose runs are killed now and then.
play-small: programs
	tests/play/side-by-side $(BUILD) --seeds 1,2,3 --people 500 --kills 12 $(PLAY)

# For forecasts: each mix five times, with four weeks from the first notices to the date.
play-mixes: programs
	tests/play/side-by-side $(BUILD) --seeds 11,12,13,14,15 --people 1000 --notify-days 28 \
		--mixes university,company,provider,holiday $(PLAY)

play-million: programs
	tests/play/play $(BUILD) --people 1000000 --observe-days 7 --notify-days 21 --days 9 \
		--measure-every 4 $(PLAY)

# All that docs/evidence.md shows; the machine should have nothing else to do.
evidence: programs
	-$(MAKE) play PLAY="--kills 100 --evidence play"
	-$(MAKE) play-mixes PLAY="--evidence mixes"
	-$(MAKE) play-million PLAY="--evidence million"
