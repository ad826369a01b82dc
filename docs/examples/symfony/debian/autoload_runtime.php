<?php

// In the place of the file that Symfony's Runtime component writes for Composer.
use Symfony\Component\Runtime\SymfonyRuntime;

if (true === (require_once __DIR__ . '/autoload.php') || empty($_SERVER['SCRIPT_FILENAME'])) {
    return;
}
$runtime = new SymfonyRuntime(['project_dir' => dirname(__DIR__)]);
[$application, $arguments] = $runtime->getResolver(require $_SERVER['SCRIPT_FILENAME'])->resolve();
exit($runtime->getRunner($application(...$arguments))->run());
