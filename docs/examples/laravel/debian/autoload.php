<?php

// In the place of Composer's, for Debian's packages in this folder.
set_include_path(__DIR__);
require_once __DIR__ . '/Illuminate/autoload.php';
spl_autoload_register(function (string $class): void {
    $file = dirname(__DIR__) . '/app/' . str_replace('\\', '/', substr($class, 4)) . '.php';
    if (str_starts_with($class, 'App\\') && is_file($file)) {
        require $file;
    }
});
