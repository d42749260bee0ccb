CREATE SCHEMA arsip;
CREATE TABLE perkara (
    id serial PRIMARY KEY, nomor text UNIQUE NOT NULL, pihak text NOT NULL, putus date, berkas bytea, sifat jsonb
);
CREATE TABLE "Buku Tamu" (id int PRIMARY KEY, "nama lengkap" text);
CREATE TABLE arsip.lama (id int, isi text);
CREATE TABLE kosong (id int);
CREATE VIEW putusan AS SELECT nomor, putus FROM perkara WHERE putus IS NOT NULL;
CREATE FUNCTION hitung() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM perkara';
INSERT INTO perkara (nomor, pihak, putus, berkas, sifat)
SELECT format('%s/Pdt.G/2026/PN Cth', lpad(n::text, 3, '0')), format(E'Pihak \\.\t%s 😀 \n é', n),
    CASE WHEN n % 3 = 0 THEN date '2026-01-01' + n END, decode(repeat(lpad(to_hex(n % 256), 2, '0'), 100), 'hex'),
    jsonb_build_object('urut', n)
FROM generate_series(1, 200) AS n;
INSERT INTO "Buku Tamu" VALUES (1, 'Seorang "tamu"'), (2, NULL);
INSERT INTO arsip.lama SELECT n, repeat('x', 100) FROM generate_series(1, 500) AS n;
