<?php

namespace App\Controller;

use PDO;
use Symfony\Bundle\FrameworkBundle\Controller\AbstractController;
use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\RedirectResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Routing\Generator\UrlGeneratorInterface;

class NotesController extends AbstractController
{
    /** Answer all notes, with an absolute link to this page and how often the visitor has been here. */
    public function list(Request $request, PDO $database): Response
    {
        $visits = $request->getSession()->get('visits', 0) + 1;
        $request->getSession()->set('visits', $visits);
        return new JsonResponse([
            'notes' => $database->query('SELECT text FROM notes ORDER BY id')->fetchAll(PDO::FETCH_COLUMN),
            'ticks' => (int) $database->query('SELECT COUNT(*) FROM ticks')->fetchColumn(),
            'link' => $this->generateUrl('notes', [], UrlGeneratorInterface::ABSOLUTE_URL),
            'visits' => $visits,
        ]);
    }

    /** Add a note. */
    public function add(Request $request, PDO $database): Response
    {
        $database->prepare('INSERT INTO notes (text) VALUES (?)')->execute([$request->request->get('text')]);
        return new RedirectResponse($this->generateUrl('notes'));
    }

    /** Answer without the database. */
    public function about(string $topic): Response
    {
        return new Response("About {$topic}.\n", 200, ['Content-Type' => 'text/plain']);
    }
}
