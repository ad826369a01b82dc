<?php

$app = new Illuminate\Foundation\Application(dirname(__DIR__));
// The two calls that this project has more than a new one of Laravel: its .env has secrets, and is not part of a release.
$app->useEnvironmentPath('/etc/groundwork/sites/notes/secrets');
$app->loadEnvironmentFrom('laravel.env');
$app->singleton(Illuminate\Contracts\Http\Kernel::class, App\Http\Kernel::class);
$app->singleton(Illuminate\Contracts\Console\Kernel::class, App\Console\Kernel::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, App\Exceptions\Handler::class);
return $app;
