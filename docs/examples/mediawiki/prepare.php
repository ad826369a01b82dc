<?php
// Installs MediaWiki into an empty database, or brings its tables to this version. For `release_command`.

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function run(array $words, array $environment = []): int
{
    $process = proc_open($words, [], $pipes, __DIR__, array_merge(getenv(), $environment));
    return proc_close($process);
}

// A password is handed over in a file, because everybody on the server can read a command line.
function file_with(string $name, string $content): string
{
    $path = getenv('TMPDIR') . "/$name";
    touch($path);
    chmod($path, 0600);
    file_put_contents($path, $content);
    register_shutdown_function('unlink', $path);
    return $path;
}

$database = new mysqli(getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME'));
$installed = $database->query("SHOW TABLES LIKE 'updatelog'")->num_rows > 0;
$database->close();
if ($installed) {
    exit(run([PHP_BINARY, 'maintenance/update.php', '--quick']));
}
// The installer refuses to run where it finds settings, and writes its own. Those of the release are used instead.
exit(run([
    PHP_BINARY, 'maintenance/install.php',
    '--dbserver', getenv('DB_HOST'), '--dbname', getenv('DB_NAME'), '--dbuser', getenv('DB_USER'),
    '--dbpassfile', file_with('database-password', getenv('DB_PASSWORD')),
    '--passfile', file_with('admin-password', getenv('ADMIN_PASSWORD')),
    '--scriptpath', '', '--confpath', getenv('TMPDIR'),
    getenv('WIKI_NAME'), 'Admin',
], ['MW_CONFIG_FILE' => getenv('TMPDIR') . '/none.php']));
