"""Words that may be shown of a query, and names of an agent: those of attacks and of programs, none of a person."""

from __future__ import annotations

_SQL = """
select union all from where order by group having limit insert into update set delete drop table database schema
information tables columns column char concat ascii substring sleep benchmark waitfor delay pg extractvalue updatexml
load file outfile and or not null like in is between exec execute xp cmdshell cast convert count version sysobjects case
when then else end if ifnull hex unhex dual having rlike regexp div mod xor true false desc asc
"""
_SCRIPT = """
script img svg iframe body object embed video details onload onerror onclick onfocus onmouseover ontoggle alert confirm
prompt javascript document cookie location window eval src href data text html base string fromcharcode expression style
"""
_SHELL = """
cat ls id whoami uname wget curl ping nc bash sh python perl nslookup certutil cmd exe powershell bin etc passwd shadow
hosts proc self environ tmp var www log boot ini win windows system dev null echo chmod rm mv cp
"""
_CODE = """
php phar asp aspx jsp input filter read convert encode decode resource expect zip ftp http https gopher dict ldap ldaps
rmi dns jndi lower upper env java runtime class config phpinfo assert call user func array passthru shell exec popen
include require invokefunction think app append prepend auto allow url st
"""
_PARAMETERS = """
page id cat category option view task layout format tmpl itemid limitstart start tag lang language action mode type path
dir folder template include inc module controller method ajax index admin administrator wp login content plugins themes
uploads upload download com content component article news berita search cari query sort order offset debug test date
year month day feed rss ver rest route json xml csv pdf git svn env bak old backup sql p q s
"""

_PROGRAMS = """
Googlebot, Google-InspectionTool, AdsBot-Google, Mediapartners-Google, GoogleOther, Storebot-Google,
APIs-Google, Google-Extended, FeedFetcher-Google, bingbot, BingPreview, msnbot, adidxbot, YandexBot,
YandexImages, YandexMobileBot, YandexAccessibilityBot, Baiduspider, DuckDuckBot, DuckAssistBot, Applebot,
PetalBot, Sogou, SeznamBot, Qwantify, Yahoo! Slurp, coccocbot, Naverbot, facebookexternalhit,
meta-externalagent, meta-externalfetcher, FacebookBot, Twitterbot, LinkedInBot, WhatsApp, TelegramBot,
Discordbot, Slackbot, Pinterestbot, SkypeUriPreview, redditbot, Embedly,
Bytespider, CCBot, Amazonbot, Diffbot,
Timpibot, ImagesiftBot, YouBot, omgili, Webzio-Extended, AhrefsBot, AhrefsSiteAudit, SemrushBot, SiteAuditBot,
MJ12bot, DotBot, rogerbot, BLEXBot, Barkrowler, DataForSeoBot, serpstatbot, SEOkicks, Screaming Frog,
MegaIndex, LinkpadBot, Exabot, Ezooms, ZoominfoBot, UptimeRobot, Pingdom, StatusCake, Better Uptime Bot,
Site24x7, GTmetrix, PageSpeed, Chrome-Lighthouse, archive.org_bot, ia_archiver, heritrix, Nutch, Wayback,
W3C_Validator, W3C-checklink, validator.nu, Censys, censysinspect, Shodan, zgrab, masscan, Nmap,
NetSystemsResearch, InternetMeasurement, Expanse, Palo Alto, l9explore, l9tcpid, LeakIX, BinaryEdge,
Detectify, Qualys, Nessus, sqlmap, Nikto, WPScan, Nuclei, gobuster, dirbuster, dirb, ffuf, feroxbuster, wfuzz,
Acunetix, Netsparker, OpenVAS, Arachni, w3af, Havij, Hydra, ZmEu, Jorgee, joomscan, droopescan, whatweb,
Go-http-client, python-requests, python-urllib, aiohttp, httpx, Scrapy, curl, Wget, libwww-perl, okhttp,
Apache-HttpClient, Dalvik, axios, node-fetch, undici, GuzzleHttp, PHP, Faraday, PostmanRuntime, insomnia,
HTTrack, WinHTTP, lwp-trivial, HeadlessChrome, PhantomJS, Puppeteer, Playwright, WordPress, Joomla, Drupal,
jetpack, Feedly, FeedBurner, Inoreader, NewsBlur, Tiny Tiny RSS
"""

KNOWN = frozenset(" ".join((_SQL, _SCRIPT, _SHELL, _CODE, _PARAMETERS)).split())
PROGRAMS = tuple(" ".join(name.split()) for name in _PROGRAMS.split(","))
