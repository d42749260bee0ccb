"""Bringing back what a sealed set holds: the plan, onto the live site, and into a drill's scratch places."""
