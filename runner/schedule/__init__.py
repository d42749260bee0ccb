"""What runs by itself: the playbooks' schedules, begun by one line of cron (or a timer of systemd), each minute."""
