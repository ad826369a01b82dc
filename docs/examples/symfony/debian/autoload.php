<?php

// In the place of Composer's, for Debian's packages in this folder.
foreach (['Bundle/FrameworkBundle', 'Component/Console', 'Component/Dotenv', 'Component/Runtime', 'Component/Yaml'] as $part) {
    require_once __DIR__ . "/Symfony/{$part}/autoload.php";
}
spl_autoload_register(function (string $class): void {
    $file = dirname(__DIR__) . '/src/' . str_replace('\\', '/', substr($class, 4)) . '.php';
    if (str_starts_with($class, 'App\\') && is_file($file)) {
        require $file;
    }
});
