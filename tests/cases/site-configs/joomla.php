<?php
class JConfig {
	public $offline = false;
	public $offline_message = 'Situs ini sedang dalam pemeliharaan.<br />Silakan kembali lagi nanti.';
	public $display_offline_message = 1;
	public $sitename = 'Pengadilan Negeri Contoh';
	public $editor = 'tinymce';
	public $access = '1';
	public $dbtype = 'mysqli';
	public $host = 'db.pn-contoh.invalid:3307';
	public $user = 'joomla';
	public $password = 'a"b$c; // d \\ \' e';
	public $db = 'joomla';
	public $dbprefix = 'x1y2z_';
	public $dbencryption = 0;
	public $secret = 'rahasia';
	public $live_site = '';
}
