<?php
require __DIR__ . '/perkara-config.php';
$register = new PDO(REGISTER_DSN, REGISTER_USER, REGISTER_PASSWORD);
$rows = $register->query('SELECT nomor, pihak, putus, berkas FROM perkara ORDER BY nomor');
echo "<title>Register Perkara</title><table>\n";
foreach ($rows as [$number, $party, $decided, $file]) {
    $hash = hash('sha256', is_resource($file) ? stream_get_contents($file) : (string) $file);
    echo '<tr><td>', implode('</td><td>', array_map('htmlspecialchars', [$number, $party, (string) $decided, $hash])), "</td></tr>\n";
}
echo "</table>\n";
