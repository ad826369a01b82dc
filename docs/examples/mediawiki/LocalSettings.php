<?php
// MediaWiki on groundwork.aws. Settings and secrets are in the environment of the site.

if (!defined('MEDIAWIKI')) {
    exit;
}
$wgSitename = getenv('WIKI_NAME');
$wgServer = getenv('WIKI_URL') ?: WebRequest::detectServer();  // WIKI_URL if the wiki has one name: https://wiki.example.com
$wgScriptPath = '';
$wgArticlePath = '/wiki/$1';
$wgResourceBasePath = '';

$wgDBtype = 'mysql';
$wgDBserver = getenv('DB_HOST');
$wgDBname = getenv('DB_NAME');
$wgDBuser = getenv('DB_USER');
$wgDBpassword = getenv('DB_PASSWORD');
$wgDBTableOptions = 'ENGINE=InnoDB, DEFAULT CHARSET=binary';
$wgSecretKey = getenv('SECRET_KEY');

// All servers share the database, and their folder of uploads. The cache of texts is each server's own.
$wgMainCacheType = CACHE_DB;
$wgSessionCacheType = CACHE_DB;
$wgCacheDirectory = getenv('TMPDIR');
$wgJobRunRate = 0;  // a worker does the jobs

$wgEnableUploads = true;
$wgUseImageMagick = false;  // GD makes the thumbnails
$wgEnableEmail = false;
$wgDefaultSkin = 'vector';
wfLoadSkin('Vector');
