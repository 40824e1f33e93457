# The whole course from the first observed login to the last date, of invented people.
# PLAY: options, as "--people 500 --notify-days 28"; tests/play/play --help has them.

.PHONY: play

play: all
	tests/play/play $(BUILD) $(PLAY)
