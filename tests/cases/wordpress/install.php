<?php
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-includes/class-wpdb.php';
add_filter('pre_wp_mail', '__return_true');
wp_install('Pengadilan Negeri Contoh', 'admin', 'admin@pn-contoh.invalid', true, '', 'sandi-contoh', '');
mt_srand(7);
for ($i = 1; $i <= @posts@; $i++) {
    $words = '';
    for ($w = 0; $w < 400; $w++) {
        $words .= ['sidang', 'putusan', 'panitera', 'hakim', 'jadwal', 'é', '😀', "o'clock", 'back\\\\slash'][mt_rand(0, 8)] . ' ';
    }
    wp_insert_post([
        'post_title' => "Pengumuman nomor $i",
        'post_content' => "<!-- wp:paragraph --><p>$words</p><!-- /wp:paragraph -->",
        'post_status' => 'publish',
        'post_date' => sprintf('2026-%02d-%02d 08:00:00', 1 + $i % 10, 1 + $i % 28),
    ]);
}
file_put_contents('wp-content/installed', 'ya');
