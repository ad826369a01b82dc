<!DOCTYPE html>
<title>{{ config('app.name') }}</title>
<link rel="canonical" href="{{ route('notes') }}">
<p>Visit {{ $visits }}, tick {{ $ticks }}.</p>
<ul>
@foreach ($notes as $note)
<li>{{ $note->text }}: {{ $note->words === null ? 'not counted' : "{$note->words} words" }} <img src="{{ Storage::url($note->picture) }}">
@endforeach
</ul>
<form method="post" action="/notes" enctype="multipart/form-data">
@csrf
<input name="text"> <input type="file" name="picture"> <button>Add</button>
</form>
