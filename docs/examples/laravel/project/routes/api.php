<?php

use Illuminate\Support\Facades\Route;

// Without a session, and so without the database.
Route::get('/about/{topic}', fn (string $topic) => response("About {$topic}.\n")->header('Content-Type', 'text/plain'));
