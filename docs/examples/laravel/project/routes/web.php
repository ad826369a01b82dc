<?php

use App\Http\Controllers\NotesController;
use Illuminate\Support\Facades\Route;

Route::get('/', [NotesController::class, 'list'])->name('notes');
Route::post('/notes', [NotesController::class, 'add']);
