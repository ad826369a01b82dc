<?php

return [
    'default' => env('LOG_CHANNEL', 'single'),
    'channels' => [
        'errorlog' => ['driver' => 'errorlog', 'level' => 'debug'],
        'single' => ['driver' => 'single', 'path' => storage_path('logs/laravel.log'), 'level' => 'debug'],
    ],
];
