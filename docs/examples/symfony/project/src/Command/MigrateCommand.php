<?php

namespace App\Command;

use PDO;
use Symfony\Component\Console\Attribute\AsCommand;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

#[AsCommand(name: 'app:migrate', description: 'Bring the tables to the version of this release.')]
class MigrateCommand extends Command
{
    public function __construct(private PDO $database)
    {
        parent::__construct();
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $this->database->exec('CREATE TABLE IF NOT EXISTS notes (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL)');
        $this->database->exec('CREATE TABLE IF NOT EXISTS ticks (at TIMESTAMP NOT NULL)');
        $output->writeln('The tables are complete.');
        return Command::SUCCESS;
    }
}
