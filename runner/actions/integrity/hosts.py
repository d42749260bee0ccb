"""Hosts: whose they are, and how they are shown without becoming a link."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

from runner.actions.integrity.people import mask_people
from runner.actions.web.text import clean_text
from runner.actions.web.visit import is_own

LONGEST_EXCERPT = 160
LONGEST_READ = 1000

# Whom honest pages link to, load from and embed; and the state's own domains, which are victims but no culprits.
# A gambling word in the address counts all the same.
_KNOWN_HOSTS = """
    go.id mil.id google.com google.co.id goo.gl gstatic.com googleapis.com googletagmanager.com google-analytics.com
    googleusercontent.com googlesyndication.com doubleclick.net youtube.com youtu.be youtube-nocookie.com ytimg.com
    facebook.com facebook.net fb.com fb.watch twitter.com x.com twimg.com instagram.com cdninstagram.com whatsapp.com
    wa.me t.me telegram.org telegram.me linkedin.com tiktok.com pinterest.com threads.net vimeo.com spotify.com
    cloudflare.com cloudflareinsights.com jsdelivr.net unpkg.com jquery.com bootstrapcdn.com fontawesome.com
    typekit.net w3.org schema.org wordpress.org wordpress.com w.org wp.com gravatar.com joomla.org joomlart.com
    ja-purity.com rockettheme.com gantry.org drupal.org elementor.com github.com github.io gitlab.com microsoft.com
    bing.com office.com apple.com adobe.com mozilla.org addthis.com sharethis.com addtoany.com elfsight.com
    elfsightcdn.com userway.org equalweb.com gtranslate.io gtranslate.net statcounter.com histats.com
    flagcounter.com supercounters.com revolvermaps.com widgetlogic.org recaptcha.net hcaptcha.com issuu.com
    scribd.com slideshare.net docs.com zoom.us canva.com linktr.ee s.id bit.ly tinyurl.com openstreetmap.org
    tawk.to tidio.com disqus.com responsivevoice.org wikipedia.org archive.org getbootstrap.com
"""
_KNOWN = frozenset(_KNOWN_HOSTS.split())


def host_of(address: str, base: str = "") -> str:
    """Given an address as written and the page's own, return its host in lower case; "" for what leads nowhere else."""
    try:
        parts = urlsplit(urljoin(base, address.strip()) if base else address.strip())
        if parts.scheme not in ("http", "https", ""):
            return ""
        return (parts.hostname or "").rstrip(".")[:253]
    except ValueError:
        return ""


def is_foreign(host: str, own: Collection[str]) -> bool:
    """Given a host and the court's own, return whether it is somebody else's; a name without a dot is nobody's."""
    return "." in host and not is_own(host, own) and not any(is_own(mine, [host]) for mine in own)


def is_known(host: str) -> bool:
    """Given a host, return whether honest pages commonly point to it."""
    parts = host.split(".")
    return any(".".join(parts[i:]) in _KNOWN for i in range(len(parts) - 1))


def defang(text: str) -> str:
    """Given text from outside, return a short excerpt on one line that names no person and in which no address can be
    followed."""
    shown = clean_text(mask_people(clean_text(text, LONGEST_READ)), LONGEST_EXCERPT)
    return shown.replace("http://", "hxxp://").replace("https://", "hxxps://")
