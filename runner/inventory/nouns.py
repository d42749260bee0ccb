"""The inventory's nouns: the keys of each, declared once, with a description and an example."""

from __future__ import annotations

from runner.inventory.channels import CHANNEL
from runner.inventory.knowledge import KNOWLEDGE
from runner.inventory.people import PERSON
from runner.inventory.register_keys import SERVICE
from runner.shapes.describe import SECRET_VALUE, VARS, Schema, keys, named, port, text, texts, word

BARE = r"^[^-\s]\S*$"

TITLE = text("The name for people, shown in reports", "Website Pengadilan Negeri Tais")

DATABASE = keys(
    "The website's database",
    {
        "engine": word("The kind of database", "mariadb", "mysql", "postgresql", "sqlite"),
        "name": text("The database's name", "joomla"),
        "path": text("The file of an SQLite database", "/var/www/data/site.sqlite"),
        "host": text("Where it listens, seen from the server", "127.0.0.1"),
        "port": port("Its port", 3306),
        "socket": text("Its Unix socket", "/run/mysqld/mysqld.sock"),
        "user": text("The user for backups", "backup"),
        "password": SECRET_VALUE,
        "restore_user": text("The user for restoring, who may make databases; without it the one for backups", "pulih"),
        "restore_password": SECRET_VALUE,
        "vars": VARS,
    },
    ("engine",),
    examples=[{"engine": "mariadb", "name": "joomla", "user": "backup", "password": {"secret": "db"}}],
)

FTPS = keys(
    "The FTP server with TLS that its files are copied over, where the hoster opens no SSH",
    {
        "address": text("Its name or IP address", "ftp.pn-tais.go.id", pattern=BARE),
        "port": port("Its port", 21),
        "user": text("The account", "pntais1"),
        "password": SECRET_VALUE,
        "certificate": text(
            "SHA-256 of its certificate, where no authority vouches for it",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            pattern=r"^([0-9A-Fa-f]{2}:?){32}$",
        ),
    },
    ("address", "user", "password"),
    examples=[{"address": "ftp.pn-tais.go.id", "user": "pntais1", "password": {"secret": "ftp"}}],
)

WEBSITE = keys(
    "A website",
    {
        "title": TITLE,
        "url": text("The address of its first page", "https://pn-tais.go.id", pattern=r"^https?://[^\s/]\S*$"),
        "aliases": texts("Other addresses of the same site", ["https://www.pn-tais.go.id"]),
        "server": text("The server it runs on, by its name under 'servers'", "web1"),
        "root": text("The folder of its files on the server", "/var/www/html"),
        "cms": word(
            "What it is built with",
            *("joomla", "wordpress", "drupal", "laravel", "codeigniter", "moodle", "slims", "static", "other"),
        ),
        "access_log": texts("Its access log on the server, also several or a glob", "/var/log/nginx/access.log"),
        "error_log": texts("Its error log on the server", "/var/log/nginx/error.log"),
        "config": texts("Files of configuration that belong to a backup", ["/etc/nginx/sites-enabled/pn-tais"]),
        "database": DATABASE,
        "ftps": FTPS,
        "services": texts("The services it hangs on, by their names under 'services'", ["domain", "hosting"]),
        "responsible": texts("People in charge, by their names under 'people'", "budi"),
        "vars": VARS,
    },
    ("url",),
)

SERVER = keys(
    "A server: how to reach it",
    {
        "title": text("The name for people, shown in reports", "Server website"),
        "connection": word("ssh (the usual), or local: this machine", "ssh", "local"),
        "address": text("Its name or IP address, or a Host of ssh_config", "203.0.113.10", pattern=BARE),
        "port": port("The port of its SSH server", 22),
        "user": text("The user to log in as", "webadmin", pattern=BARE),
        "identity": texts("The private key to log in with", "~/.ssh/id_ed25519"),
        "password": SECRET_VALUE,
        "jump": text("The server in between: its name here, or user@host:port", "bastion", pattern=BARE),
        "host_key": text("The server's public key, where it should not come from known_hosts", "ssh-ed25519 AAAA…"),
        "run_as": text("The user to become by sudo -n for every command", "root", pattern=BARE),
        "responsible": texts("People in charge, by their names under 'people'", "budi"),
        "vars": VARS,
    },
    (),
    **{
        "if": {"properties": {"connection": {"const": "local"}}, "required": ["connection"]},
        "else": {"required": ["address"], "properties": {"address": {"examples": ["203.0.113.10"]}}},
    },
)

GROUP = keys(
    "A group of targets",
    {
        "members": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "Names of targets or groups, globs, or ~regular expressions",
            "examples": [["pn_tais", "web*"]],
        },
        "children": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "Names of groups whose members belong here too",
            "examples": [["bengkulu"]],
        },
        "vars": VARS,
    },
)

SECRET = keys(
    "Where a secret comes from: one of the keys",
    {
        "env": text("An environment variable", "DB_PASSWORD", pattern="^[A-Za-z_][A-Za-z0-9_]*$"),
        "file": text("A file that only its owner may read (0600)", "~/.config/sop/db"),
        "keyring": text("Service and user of an entry in the keyring", "sop/db", pattern="[^/]/[^/]+$"),
        "command": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "description": "A program whose first line is the secret, word by word",
            "examples": [["pass", "show", "db"]],
        },
    },
    minProperties=1,
    maxProperties=1,
    secret=True,
    examples=[{"env": "DB_PASSWORD"}],
)

MARGIN = {"type": "number", "minimum": 5, "maximum": 60}
PAPER = keys(
    "The sheet that reports are printed on",
    {
        "size": word("A4, or F4 (21.5 x 33 cm)", "A4", "F4"),
        "margins": keys(
            "Margins in millimetres",
            {
                side: {**MARGIN, "description": f"The {side} margin", "examples": [usual]}
                for side, usual in (("top", 20), ("right", 20), ("bottom", 25), ("left", 30))
            },
            examples=[{"left": 30}],
        ),
    },
    examples=[{"size": "F4"}],
)

OFFICE = keys(
    "The office: what reports and due times need",
    {
        "name": text("Its name", "Pengadilan Negeri Tais"),
        "unit": text("The unit that carries the procedures out", "Subbagian PTIP"),
        "city": text("The place on letters", "Tais"),
        "address": text("The postal address", "Jalan Contoh 1, Tais"),
        "phone": text("The telephone number, in quotes", "0736000000"),
        "email": text("The mail address", "it@example.go.id"),
        "website": text("The address of its website", "https://pn-tais.go.id"),
        "code": text("The code in letter numbers", "W8-U6"),
        "timezone": text("The time zone: WIB (the usual), WITA, WIT, or its IANA name", "Asia/Jakarta"),
        "language": word("The language of screens and messages", "id", "en"),
        "hours": {
            "description": "Working hours by weekday, and periods in which they differ",
            "examples": [{"monday-thursday": {"open": "08:00-16:30", "break": "12:00-13:00"}}],
        },
        "holidays": {
            "description": "Days off beyond the national holidays and collective leave, each with its reason",
            "examples": [{"2026-07-06": "Hari jadi daerah"}],
        },
        "working_days": {
            "description": "Days worked although they would be free, each with its reason, or with hours of its own",
            "examples": [{"2026-12-24": "Pelayanan tetap buka"}],
        },
        "day_norm": word(
            "When '1 hari' is due: at the close of the next working day, or when its hours are used up",
            "close",
            "hours",
        ),
        "shared_logins": texts("User names that several people use: they sign for no one", ["operator"]),
        "personal_data": keys(
            "How long raw evidence with personal data is kept, such as lines of an access log, and who keeps it",
            {
                "keep": text("Days until it is deleted", "90 hari", pattern=r"^[1-9]\d{0,3} hari$"),
                "keeper": text("The role or person that keeps it", "admin"),
            },
            examples=[{"keep": "90 hari", "keeper": "admin"}],
        ),
        "networks": texts("Networks and addresses of the office: never blocked", ["203.0.113.0/28"]),
        "court_networks": texts(
            "Networks of other courts and of the Supreme Court: never blocked", ["198.51.100.0/24"]
        ),
        "letterhead": {"description": "Lines at the head of reports", "examples": [["MAHKAMAH AGUNG RI"]]},
        "paper": PAPER,
        "vars": VARS,
    },
    examples=[{"name": "Pengadilan Negeri Tais", "timezone": "Asia/Jakarta"}],
)

NOUNS = {"websites": WEBSITE, "servers": SERVER, "services": SERVICE}
KINDS = {"websites": "website", "servers": "server", "services": "service"}

INVENTORY_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Inventory of sop",
    "type": ["object", "null"],
    "description": "What there is: websites, servers, services, people",
    "properties": {
        "office": {**OFFICE, "type": ["object", "null"]},
        "websites": named("Websites by name", WEBSITE, examples=[{"pn_tais": {"url": "https://pn-tais.go.id"}}]),
        "servers": named("Servers by name", SERVER, examples=[{"web1": {"address": "203.0.113.10"}}]),
        "services": named("Services by name", SERVICE, examples=[{"domain": {"kind": "domain"}}]),
        "people": named("People by a short name", PERSON, examples=[{"budi": {"name": "Budi Santoso"}}]),
        "channels": named(
            "Ways to send messages to people, by name",
            CHANNEL,
            examples=[{"mail": {"kind": "smtp", "host": "mail.example.go.id", "from": "it@example.go.id"}}],
        ),
        "groups": named("Groups of targets by name", GROUP, examples=[{"bengkulu": {"members": ["pn_tais"]}}]),
        "knowledge": {
            "type": ["array", "null"],
            "items": KNOWLEDGE,
            "maxItems": 2000,
            "description": "What is known about faults; several files add up",
            "examples": [[{"fault": "website.unavailable", "remedies": ["Hidupkan kembali layanan web"]}]],
        },
        "vars": {**VARS, "type": ["object", "null"]},
        "secrets": named("Where secrets come from, by name", SECRET, examples=[{"db": {"env": "DB_PASSWORD"}}]),
    },
    "additionalProperties": False,
}
