<?php

namespace App\Http\Controllers;

use App\Jobs\CountWords;
use App\Models\Note;
use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;
use Illuminate\Routing\Controller;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Storage;
use Illuminate\View\View;

class NotesController extends Controller
{
    /** Show all notes, and how often the visitor has been here. */
    public function list(Request $request): View
    {
        $visits = $request->session()->increment('visits');
        return view('notes', ['notes' => Note::all(), 'visits' => $visits, 'ticks' => DB::table('ticks')->count()]);
    }

    /** Add a note with a picture, whose words a worker counts. */
    public function add(Request $request): RedirectResponse
    {
        $given = $request->validate(['text' => 'required|max:1000', 'picture' => 'required|file|max:1024']);
        $picture = Storage::disk('public')->put('pictures', $given['picture']);
        CountWords::dispatch(Note::create(['text' => $given['text'], 'picture' => $picture]));
        return redirect()->route('notes');
    }
}
