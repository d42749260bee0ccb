"""Messages to people over the inventory's channels; one file per kind of channel, all listed in `courier.CHANNELS`."""
